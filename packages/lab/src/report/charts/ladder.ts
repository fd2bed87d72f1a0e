import type { MeasuredRung, Results } from "../../results/schema.ts";
import type { Findings } from "../findings.ts";
import { changeMark, count } from "../format.ts";
import { figureColumns, figureY, intervals, pixelY, rightEdge, rowLabels, texts } from "./marks.ts";
import { color } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { cut, type Format, type RowLayout, rowLayout } from "./rows.ts";
import { axisTitle } from "./scales.ts";

/** IOPS by rung: a bar for the median, a line for the 95 % interval, a dot for each repeat. */
export function ladderChart({ results, measured, best }: Findings): Chart {
  const described = measured.map(({ title, summary }) => `${title} ${count(summary.iops.median)}`);
  return {
    name: "ladder",
    title: "IOPS by rung",
    description: `Median IOPS of each rung: ${described.join("; ")}.`,
    draw: (format) => draw(results, best, format),
  };
}

function draw({ rungs }: Results, best: MeasuredRung | undefined, format: Format): Drawing {
  const layout = rowLayout(
    rungs.map(({ title }) => title),
    format,
    { right: format === "wide" ? 150 : 4, top: 30, labelBesideFigures: 26 },
  );
  const bars = rungs.flatMap((rung, index) =>
    rung.status === "measured"
      ? [{ ...levels(layout, index), ...rung.summary.iops, best: rung === best, runs: rung.runs }]
      : [],
  );
  const dots = bars.flatMap(({ y, runs }) => runs.map(({ iops, outlier }) => ({ y, iops, outlier })));
  return {
    layout,
    layers: [
      {
        data: { values: bars },
        mark: { type: "bar", orient: "horizontal", size: 13 },
        encoding: {
          x: {
            field: "median",
            type: "quantitative",
            scale: { domainMin: 0, nice: true },
            axis: {
              title: axisTitle(
                layout,
                "IOPS: bar, the median; line, its 95 % interval; dots, the repeats (ring: an outlier)",
              ),
              tickCount: format === "wide" ? 6 : 4,
              format: ",.0f",
            },
          },
          y: { ...pixelY, field: "barY" },
          color: { condition: { test: "datum.best", value: color("accent") }, value: color("bar") },
        },
      },
      ...intervals(bars),
      {
        data: { values: dots },
        mark: { type: "point", filled: true, opacity: 1, strokeWidth: 1.5 },
        encoding: {
          x: { field: "iops", type: "quantitative" },
          y: pixelY,
          size: { condition: { test: "datum.outlier", value: 70 }, value: 34 },
          fill: { condition: { test: "datum.outlier", value: color("surface") }, value: color("ink") },
          stroke: { condition: { test: "datum.outlier", value: color("study") }, value: color("surface") },
        },
      },
      rowLabels(layout),
      ...columns(layout, rungs),
    ],
  };
}

/** The bar is above the row's middle, interval and repeats below it. */
function levels(layout: RowLayout, row: number): { barY: number; y: number } {
  const { y } = layout.rows[row]!;
  return { barY: y - 5, y: y + 9 };
}

/** Right of each rung: its IOPS, and the change against its base rung, or why there is none. */
function columns(layout: RowLayout, rungs: Results["rungs"]): Layer[] {
  const iops = rungs.map((rung) =>
    rung.status === "measured" ? count(rung.summary.iops.median) : undefined,
  );
  const changes = rungs.map((rung) =>
    rung.status === "measured" && rung.comparison ? changeMark(rung.comparison) : undefined,
  );
  const others = rungs.flatMap((rung, row) =>
    rung.status === "measured" ? [] : [{ rung, y: figureY(layout, row) }],
  );
  return [
    ...figureColumns(layout, [
      { head: "IOPS", figures: iops, width: 0, weight: 600 },
      { head: "change", figures: changes, width: changeWidth },
    ]),
    texts(
      others.map(({ rung, y }) => ({ text: rung.status, y })),
      { x: rightEdge(layout) - changeWidth, align: "right", role: "muted" },
    ),
    texts(layout.format === "wide" ? others.map(({ rung, y }) => ({ text: cut(rung.reason, 64), y })) : [], {
      x: 8,
      role: "muted",
      size: 11,
    }),
  ];
}

const changeWidth = 78;

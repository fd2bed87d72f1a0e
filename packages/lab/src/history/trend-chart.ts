import type { ComparedRow, RunsComparison } from "../compare/compare-runs.ts";
import { type MetricName, metrics } from "../compare/metrics.ts";
import { figureColumns, pixelY, rowLabels, texts } from "../report/charts/marks.ts";
import { color } from "../report/charts/palette.ts";
import type { Chart, Drawing, Layer } from "../report/charts/render.ts";
import { type Format, rowLayout } from "../report/charts/rows.ts";
import { change, changeSigns } from "../report/format.ts";
import type { Estimate } from "../results/schema.ts";

/** A figure over the runs of a plan: one row per rung or cell, each with its own scale. */
export function trendChart(comparison: RunsComparison, name: MetricName): Chart {
  const rows = comparison.rows.filter(({ cells }) => cells.some(({ status }) => status === "measured"));
  const { title, format } = metrics[name];
  const described = rows.map((row) => {
    const figures = estimatesOf(row, name).map((each) => (each ? format(each.median) : "none"));
    return `${row.title}: ${figures.join(", ")}`;
  });
  return {
    name: `trend-${name}`,
    title: `${title} over ${comparison.runs.length} runs`,
    description: `From the first run to the latest: ${described.join("; ")}.`,
    draw: (wanted) => draw(comparison, rows, name, wanted),
  };
}

/** Height of a row's marks. */
const HEIGHT = 34;

function draw(
  { runs }: RunsComparison,
  rows: readonly ComparedRow[],
  name: MetricName,
  format: Format,
): Drawing {
  const layout = rowLayout(
    rows.map(({ title }) => title),
    format,
    { right: format === "wide" ? 160 : 4, top: 30, bottom: 34, marks: HEIGHT, labelBesideFigures: 26 },
  );
  const step = (layout.plotWidth - 24) / Math.max(1, runs.length - 1);
  const x = (run: number) => 12 + run * step;
  const points = rows.flatMap((row, index) => {
    const estimates = estimatesOf(row, name);
    const y = scaleOf(estimates, layout.rows[index]!.y);
    return estimates.flatMap((each, run) =>
      each
        ? [
            {
              row: index,
              x: x(run),
              y: y(each.median),
              low: y(each.low),
              high: y(each.high),
              latest: run === runs.length - 1,
            },
          ]
        : [],
    );
  });
  const data = { values: points };
  const pixelX = { field: "x", type: "quantitative", scale: null, axis: null } as const;
  const changes = rows.map(({ changes: all }) => all.at(-1)?.[name]);
  const last = rows.map((row) => estimatesOf(row, name).at(-1));
  const ends = [
    { text: dayOf(runs[0]!.started), x: x(0), align: "left" },
    { text: dayOf(runs.at(-1)!.started), x: x(runs.length - 1), align: "right" },
  ] as const;
  return {
    layout,
    layers: [
      {
        data,
        mark: { type: "line", color: color("bar"), strokeWidth: 1.5 },
        encoding: { x: pixelX, y: pixelY, detail: { field: "row", type: "nominal" } },
      },
      {
        data,
        mark: { type: "rule", color: color("ink"), strokeWidth: 1.2 },
        encoding: { x: pixelX, y: { ...pixelY, field: "low" }, y2: { field: "high" } },
      } as Layer,
      {
        data,
        mark: { type: "point", filled: true, size: 40, opacity: 1 },
        encoding: {
          x: pixelX,
          y: pixelY,
          fill: { condition: { test: "datum.latest", value: color("accent") }, value: color("bar") },
        },
      },
      rowLabels(layout),
      ...ends.map(({ text, ...style }) =>
        texts([{ text, y: layout.plotHeight + 18 }], { ...style, role: "muted", size: 12 }),
      ),
      ...figureColumns(layout, [
        {
          head: "latest",
          figures: last.map((each) => each && metrics[name].format(each.median)),
          width: 0,
          weight: 600,
        },
        {
          head: "since first",
          figures: changes.map(
            (each) => each && `${changeSigns[each.verdict]}\u00a0${change(each.ratio.median)}`,
          ),
          width: 82,
        },
      ]),
    ],
  };
}

/** A row's figure in each run; undefined if the run did not measure it. */
function estimatesOf({ cells }: ComparedRow, name: MetricName): (Estimate | undefined)[] {
  return cells.map((cell) => (cell.status === "measured" ? cell.figures[name] : undefined));
}

/** The lowest value of the row's intervals is at the bottom of its marks, the highest at the top. */
function scaleOf(estimates: readonly (Estimate | undefined)[], middle: number): (value: number) => number {
  const known = estimates.filter((each) => each !== undefined);
  const [least, greatest] = [
    Math.min(...known.map(({ low }) => low)),
    Math.max(...known.map(({ high }) => high)),
  ];
  if (least === greatest) return () => middle;
  return (value) => middle + HEIGHT / 2 - ((value - least) / (greatest - least)) * HEIGHT;
}

function dayOf(started: string): string {
  return started.slice(0, 10);
}

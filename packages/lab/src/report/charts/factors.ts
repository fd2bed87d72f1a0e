import type { Findings } from "../findings.ts";
import { times } from "../format.ts";
import { columnHead, figureY, intervals, legend, pixelY, rightEdge, rowLabels, texts } from "./marks.ts";
import { color } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { type Format, rowLayout } from "./rows.ts";
import { axisTitle, type Domain, logTicks } from "./scales.ts";

/** One rung's factor over the base: here with its interval, in the study a single figure. */
interface Row {
  title: string;
  here: { median: number; low: number; high: number } | undefined;
  study: number | undefined;
}

/** How many times the IOPS of the first rung, here and in the study; undefined when the study has no figure to set beside. */
export function factorsChart({ results, here, study, base }: Findings): Chart | undefined {
  if (!base || study.size === 0) return undefined;
  const rows = results.rungs
    .map(({ name, title }): Row => ({ title, here: here.get(name), study: study.get(name) }))
    .filter((row) => row.here || row.study);
  const described = rows.map(
    (row) =>
      `${row.title} ${row.here ? times(row.here.median) : "not measured"}${row.study ? `, in the study ${times(row.study)}` : ""}`,
  );
  return {
    name: "factors",
    title: `IOPS as a multiple of ${base.title}, here and in the study`,
    description: `${described.join("; ")}.`,
    draw: (format) => draw(rows, format),
  };
}

function draw(rows: Row[], format: Format): Drawing {
  const layout = rowLayout(
    rows.map(({ title }) => title),
    format,
    { right: format === "wide" ? 120 : 4, top: 34, marks: 20 },
  );
  const right = rightEdge(layout);
  const placed = rows.map((row, index) => ({
    ...row,
    ...layout.rows[index]!,
    figureY: figureY(layout, index),
  }));
  const values = rows.flatMap(({ here, study }) =>
    [here?.low, here?.high, study].filter((v) => v !== undefined),
  );
  const domain: Domain = [Math.min(1, ...values) * 0.9, Math.max(...values) * 1.15];
  const points = placed.flatMap(({ here, y }) => (here ? [{ y, ...here }] : []));
  const diamonds = placed.flatMap(({ study, y }) => (study ? [{ y, study }] : []));
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      title: axisTitle(layout, "times the IOPS of the first rung (logarithmic scale)"),
      values: logTicks(domain),
      labelExpr: "datum.value + '×'",
    },
  } as const;
  const bridges = placed.flatMap(({ here, study, y }) =>
    here && study ? [{ y, a: here.median, b: study }] : [],
  );
  const layers: Layer[] = [
    {
      data: { values: bridges },
      mark: { type: "rule", color: color("grid"), strokeWidth: 5 },
      encoding: { x: { ...x, field: "a" }, x2: { field: "b" }, y: pixelY },
    },
    {
      data: { values: diamonds },
      mark: { type: "point", shape: "diamond", size: 90, strokeWidth: 2, opacity: 1 },
      encoding: {
        x: { ...x, field: "study" },
        y: pixelY,
        stroke: { value: color("study") },
        fill: { value: color("surface") },
      },
    },
    ...intervals(points),
    {
      data: { values: points },
      mark: { type: "point", filled: true, size: 80, opacity: 1, strokeWidth: 1.2 },
      encoding: {
        x: { ...x, field: "median" },
        y: pixelY,
        fill: { value: color("accent") },
        stroke: { value: color("surface") },
      },
    },
  ];
  const hereColumn = { x: right - 60, align: "right" } as const;
  const studyColumn = { x: right, align: "right" } as const;
  const figures = [
    columnHead(layout, "here", hereColumn),
    columnHead(layout, "study", studyColumn),
    texts(
      placed.map((row) => ({ text: row.here ? times(row.here.median) : "–", y: row.figureY })),
      { ...hereColumn, weight: 600 },
    ),
    texts(
      placed.map((row) => ({ text: row.study ? times(row.study) : "–", y: row.figureY })),
      { ...studyColumn, role: "study" },
    ),
  ];
  const signs = legend(
    layout,
    [
      { sign: "●", role: "accent", text: "here" },
      { sign: "◇", role: "study", text: "the study" },
    ],
    70,
  );
  return {
    layout,
    layers: [...layers, rowLabels(layout), ...figures, ...signs],
  };
}

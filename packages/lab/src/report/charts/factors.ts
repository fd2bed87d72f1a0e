import type { Findings } from "../findings.ts";
import { times } from "../format.ts";
import { dots, figureColumns, intervals, legend, pixelY, rowLabels } from "./marks.ts";
import { color } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { type Format, type RowLayout, rowLayout } from "./rows.ts";
import { axisTitle, type Domain, logTicks } from "./scales.ts";

/** One rung's factor over the base: here with its interval, in the study a single figure. */
interface Row {
  title: string;
  here: { median: number; low: number; high: number } | undefined;
  study: number | undefined;
}

/** IOPS relative to the first rung, here and in the study; undefined if the study has no comparable figure. */
export function factorsChart({ results, here, study, base }: Findings): Chart | undefined {
  if (!base || study.size === 0) return undefined;
  const rows = results.rungs
    .map(({ name, title }): Row => ({ title, here: here.get(name), study: study.get(name) }))
    .filter((row) => row.here || row.study);
  const described = rows.map((row) => {
    const inStudy = row.study ? `, in the study ${times(row.study)}` : "";
    return `${row.title} ${row.here ? times(row.here.median) : "not measured"}${inStudy}`;
  });
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
    { right: format === "wide" ? 120 : 4, top: 34, marks: 20, labelBesideFigures: 26 },
  );
  const here = rows.map((row) => row.here && times(row.here.median));
  const study = rows.map((row) => row.study && times(row.study));
  return {
    layout,
    layers: [
      ...marks(rows, layout),
      rowLabels(layout),
      ...figureColumns(layout, [
        { head: "here", figures: here.map((text) => text ?? "–"), width: 0, weight: 600 },
        { head: "study", figures: study.map((text) => text || "–"), width: 60, role: "study" },
      ]),
      ...legend(
        layout,
        [
          { sign: "●", role: "accent", text: "here" },
          { sign: "◇", role: "study", text: "the study" },
        ],
        70,
      ),
    ],
  };
}

/** A circle with its interval for here, a diamond for the study, and a bar between the two. */
function marks(rows: Row[], layout: RowLayout): Layer[] {
  const placed = rows.map((row, index) => ({ ...row, y: layout.rows[index]!.y }));
  const here = placed.flatMap(({ here, y }) => (here ? [{ y, ...here }] : []));
  const study = placed.flatMap(({ study, y }) => (study ? [{ y, study }] : []));
  const both = placed.flatMap(({ here, study, y }) =>
    here && study ? [{ y, here: here.median, study }] : [],
  );
  const all = [1, ...here.flatMap(({ low, high }) => [low, high]), ...study.map((row) => row.study)];
  const domain: Domain = [Math.min(...all) * 0.9, Math.max(...all) * 1.15];
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      title: axisTitle(layout, "times the IOPS of the first rung (logarithmic scale)"),
      values: logTicks(domain),
      labelExpr: "datum.value + '×'",
    },
  } as const;
  return [
    {
      data: { values: both },
      mark: { type: "rule", color: color("grid"), strokeWidth: 5 },
      encoding: { x: { ...x, field: "here" }, x2: { field: "study" }, y: pixelY },
    },
    ...intervals(here),
    {
      data: { values: study },
      mark: { type: "point", shape: "diamond", size: 90, strokeWidth: 2, opacity: 1 },
      encoding: {
        x: { ...x, field: "study" },
        y: pixelY,
        stroke: { value: color("study") },
        fill: { value: color("surface") },
      },
    },
    dots({ values: here }, { ...x, field: "median" }, "accent"),
  ];
}

import type { MeasuredRung } from "../../results/schema.ts";
import type { Findings } from "../findings.ts";
import { latency } from "../format.ts";
import { dots, figureColumns, pixelY, rowLabels } from "./marks.ts";
import { color } from "./palette.ts";
import type { Chart, Drawing, Layer } from "./render.ts";
import { type Format, rowLayout } from "./rows.ts";
import { axisTitle, type Domain, logTicks } from "./scales.ts";

/** Completion latency by rung: the median, and how far the tail reaches. */
export function latencyChart({ measured }: Pick<Findings, "measured">): Chart | undefined {
  if (measured.length === 0) return undefined;
  const described = measured.map(
    ({ title, summary }) =>
      `${title} ${latency(summary.latencyP50.median)}, ${latency(summary.latencyP99.median)}`,
  );
  return {
    name: "latency",
    title: "Completion latency by rung",
    description: `Median and 99th percentile: ${described.join("; ")}.`,
    draw: (format) => draw(measured, format),
  };
}

/** From percentile to percentile the line grows thinner. */
const segments = [
  { from: "p50", to: "p95", width: 11 },
  { from: "p95", to: "p99", width: 5 },
  { from: "p99", to: "p999", width: 1.5 },
] as const;

function draw(rungs: MeasuredRung[], format: Format): Drawing {
  const layout = rowLayout(
    rungs.map(({ title }) => title),
    format,
    { right: format === "wide" ? 160 : 4, top: 30, marks: 18, labelBesideFigures: 26 },
  );
  const rows = rungs.map(({ summary }, index) => ({
    y: layout.rows[index]!.y,
    p50: summary.latencyP50.median / 1000,
    p95: summary.latencyP95.median / 1000,
    p99: summary.latencyP99.median / 1000,
    p999: summary.latencyP999.median / 1000,
  }));
  const data = { values: rows };
  const domain: Domain = [
    Math.min(...rows.map(({ p50 }) => p50)) * 0.85,
    Math.max(...rows.map(({ p999 }) => p999)) * 1.1,
  ];
  const x = {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      title: axisTitle(
        layout,
        "milliseconds (logarithmic scale): dot, the median; the line thins at p95 and p99, and ends at p99.9",
      ),
      values: logTicks(domain),
      format: "~g",
    },
  } as const;
  return {
    layout,
    layers: [
      ...segments.map(
        ({ from, to, width }): Layer => ({
          data,
          mark: { type: "rule", color: color("bar"), strokeWidth: width },
          encoding: { x: { ...x, field: from }, x2: { field: to }, y: pixelY },
        }),
      ),
      {
        data,
        mark: { type: "tick", orient: "vertical", color: color("bar"), thickness: 1.5, size: 9 },
        encoding: { x: { ...x, field: "p999" }, y: pixelY },
      },
      dots(data, { ...x, field: "p50" }, "accent"),
      rowLabels(layout),
      ...figureColumns(layout, [
        {
          head: "median",
          figures: rungs.map(({ summary }) => latency(summary.latencyP50.median)),
          width: 0,
          weight: 600,
        },
        { head: "p99", figures: rungs.map(({ summary }) => latency(summary.latencyP99.median)), width: 78 },
      ]),
    ],
  };
}

import { intervals, legend, pixelY, rowLabels } from "./marks.ts";
import { color, type Role } from "./palette.ts";
import type { Drawing, Layer } from "./render.ts";
import { type Format, rowLayout } from "./rows.ts";
import { axisTitle } from "./scales.ts";

/** A figure with its label; without an interval if it was measured once. */
export interface Bar {
  median: number;
  low?: number;
  high?: number;
  text: string;
}

export interface BarRow {
  title: string;
  /** One per series, in their order. */
  bars: (Bar | undefined)[];
}

export interface BarSeries {
  text: string;
  role: Role;
}

/** Rows of up to two bars, one per series, with intervals and figures. */
export function drawBars(
  rows: readonly BarRow[],
  series: readonly BarSeries[],
  { axis, legendWidth }: { axis: string; legendWidth: number },
  format: Format,
): Drawing {
  const layout = rowLayout(
    rows.map(({ title }) => title),
    format,
    { right: 64, top: 30, marks: series.length > 1 ? 15 * series.length : 18 },
  );
  const shift = (index: number) => (index - (series.length - 1) / 2) * 15;
  const bars = rows.flatMap((row, at) =>
    row.bars.flatMap((bar, index) =>
      bar
        ? [
            {
              ...bar,
              end: bar.high ?? bar.median,
              y: layout.rows[at].y + shift(index),
              role: series[index].role,
            },
          ]
        : [],
    ),
  );
  const x = {
    type: "quantitative",
    scale: { domainMin: 0, nice: true },
    axis: { title: axisTitle(layout, axis), tickCount: format === "wide" ? 6 : 4, format: ",.0f" },
  } as const;
  return {
    layout,
    layers: [
      ...series.map(
        ({ role }): Layer => ({
          data: { values: bars.filter((bar) => bar.role === role) },
          mark: { type: "bar", orient: "horizontal", size: 12, color: color(role) },
          encoding: { x: { ...x, field: "median" }, y: pixelY },
        }),
      ),
      ...intervals(
        bars.flatMap(({ y, low, high }) =>
          low === undefined || high === undefined ? [] : [{ y, low, high }],
        ),
      ),
      {
        data: { values: bars },
        mark: { type: "text", align: "left", dx: 7, color: color("ink"), fontSize: 12 },
        encoding: { x: { ...x, field: "end" }, y: pixelY, text: { field: "text", type: "nominal" } },
      },
      rowLabels(layout),
      ...legend(
        layout,
        series.map(({ text, role }) => ({ sign: "■", role, text })),
        legendWidth,
      ),
    ],
  };
}

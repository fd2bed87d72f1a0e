import type { Estimate } from "../../results/schema.ts";
import { texts } from "./marks.ts";
import { color, type Role } from "./palette.ts";
import type { Drawing, Layer } from "./render.ts";
import { type Format, LABEL_LINE, type RowLayout, wrap } from "./rows.ts";
import { type Domain, logTicks } from "./scales.ts";

/** Points of a line, in order, each with its 95 % intervals. */
export interface Line {
  title: string;
  points: readonly { x: Estimate; y: Estimate; ringed?: boolean }[];
}

export interface LineAxis {
  title: string;
  /** The tick values; default 1, 2, 5, 10, ... */
  ticks?: readonly number[];
}

const roles = ["line0", "line1", "line2", "line3", "line4", "line5"] as const satisfies readonly Role[];
/** Lines of one colour differ in these. */
const dashes = [
  [1, 0],
  [6, 4],
  [2, 3],
];

/** Lines on logarithmic scales, with their names above the plot. */
export function drawLines(
  lines: readonly Line[],
  axes: { x: LineAxis; y: LineAxis },
  format: Format,
): Drawing {
  const legend = legendOf(lines, format);
  const layout = layoutFor(legend.height, format);
  const all = lines.flatMap(({ points }) => points);
  const x = axis(axes.x, around(all.map((point) => point.x)), axes.x.title);
  const y = axis(axes.y, around(all.map((point) => point.y)), null);
  return {
    layout,
    layers: [
      ...lines.flatMap((line, index) => layersOf(line, index, { x, y })),
      ...drawLegend(legend, layout),
      // Set along the axis it would be cut where the plot is low.
      texts([{ text: axes.y.title, y: -14 }], { x: 4 - layout.padding.left, role: "muted", size: 12 }),
    ],
  };
}

function around(estimates: readonly Estimate[]): Domain {
  const positive = estimates.flatMap(({ low, high }) => [low, high]).filter((value) => value > 0);
  return [Math.min(...positive) / 1.25, Math.max(...positive) * 1.25];
}

function axis({ ticks }: LineAxis, domain: Domain, title: string | null) {
  const values = ticks ? [...ticks] : ticksIn(domain);
  return {
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: { title, values, labelExpr: "format(datum.value, datum.value < 1000 ? '~g' : '~s')" },
  } as const;
}

/** 1, 2, 5, 10, ...; if fewer than two of them are in the domain, its ends and its middle. */
function ticksIn([least, greatest]: Domain): number[] {
  const ticks = logTicks([least, greatest]);
  if (ticks.length > 1) return ticks;
  const inside = [least * 1.05, Math.sqrt(least * greatest), greatest / 1.05];
  return [...new Set(inside.map((value) => Number(value.toPrecision(2))))];
}

function layersOf(
  { points }: Line,
  index: number,
  { x, y }: Record<"x" | "y", ReturnType<typeof axis>>,
): Layer[] {
  const ink = color(roles[index % roles.length]!);
  const values = points.map((point, order) => ({
    order,
    ...{ x: point.x.median, xLow: point.x.low, xHigh: point.x.high },
    ...{ y: point.y.median, yLow: point.y.low, yHigh: point.y.high },
  }));
  const data = { values };
  const position = { x: { ...x, field: "x" }, y: { ...y, field: "y" } };
  const rule = { type: "rule", color: ink, strokeWidth: 1, opacity: 0.7 } as const;
  const strokeDash = dashes[Math.floor(index / roles.length) % dashes.length]!;
  return [
    { data, mark: rule, encoding: { ...position, x: { ...x, field: "xLow" }, x2: { field: "xHigh" } } },
    { data, mark: rule, encoding: { ...position, y: { ...y, field: "yLow" }, y2: { field: "yHigh" } } },
    {
      data,
      mark: { type: "line", color: ink, strokeWidth: 2, strokeDash },
      encoding: { ...position, order: { field: "order", type: "quantitative" } },
    },
    { data, mark: { type: "point", filled: true, size: 40, opacity: 1, color: ink }, encoding: position },
    {
      data: { values: values.filter(({ order }) => points[order]!.ringed) },
      mark: { type: "point", filled: false, size: 220, strokeWidth: 2, opacity: 1, color: ink },
      encoding: position,
    },
  ];
}

/** Names of lines, in one column or two. */
interface Legend {
  columns: number;
  height: number;
  /** From the top of the legend. */
  names: { text: string[]; y: number }[];
}

/** Characters in a line of a legend. */
const LEGEND_WIDTH = 46;

function legendOf(lines: readonly Line[], format: Format): Legend {
  const columns = format === "narrow" ? 1 : 2;
  const texts = lines.map(({ title }) => wrap(title, LEGEND_WIDTH));
  let height = 0;
  const names = texts.map((text, index) => {
    const y = height;
    const isLast = index % columns === columns - 1 || index === texts.length - 1;
    if (isLast) {
      const row = texts.slice(index - (index % columns), index + 1);
      height += 20 + LABEL_LINE * (Math.max(...row.map((each) => each.length)) - 1);
    }
    return { text, y };
  });
  return { columns, height, names };
}

function layoutFor(legend: number, format: Format): RowLayout {
  const narrow = format === "narrow";
  const padding = { left: narrow ? 44 : 60, right: 16, top: legend + 36, bottom: 46 };
  return {
    format,
    plotWidth: (narrow ? 350 : 800) - padding.left - padding.right,
    plotHeight: narrow ? 280 : 360,
    padding,
    rows: [],
  };
}

function drawLegend({ columns, names }: Legend, { format, plotWidth, padding }: RowLayout): Layer[] {
  return names.flatMap(({ text, y: top }, index) => {
    const x = (index % columns) * (plotWidth / columns) - (format === "narrow" ? padding.left - 4 : 0);
    const y = 10 - padding.top + top;
    const sign = index >= roles.length ? "╌●╌" : "━●━";
    return [
      texts([{ text: sign, y }], { x, role: roles[index % roles.length]!, size: 11 }),
      texts(
        text.map((line, at) => ({ text: line, y: y + at * LABEL_LINE })),
        { x: x + 36, role: "ink", size: 12 },
      ),
    ];
  });
}

import { color, type Role } from "./palette.ts";
import type { Layer } from "./render.ts";
import { LABEL_LINE, type RowLayout } from "./rows.ts";

/** A position on the chart's x scale. */
type PositionX = NonNullable<Extract<Layer, { mark: unknown }>["encoding"]>["x"];

/** A y in pixels of the plot. */
export const pixelY = { field: "y", type: "quantitative", scale: null, axis: null } as const;

/** The rows' labels. */
export function rowLabels(layout: RowLayout): Layer {
  const lines = layout.rows.flatMap(({ label, labelY }) =>
    label.map((text, index) => ({ text, y: labelY + (index - (label.length - 1) / 2) * LABEL_LINE })),
  );
  const narrow = layout.format === "narrow";
  return texts(lines, {
    x: layout.rows[0]?.labelX ?? 0,
    align: narrow ? "left" : "right",
    weight: narrow ? 600 : 500,
  });
}

export interface TextStyle {
  /** Pixels from the plot's left edge. */
  x: number;
  align?: "left" | "right" | "center";
  role?: Role;
  weight?: 400 | 500 | 600;
  size?: number;
}

/** Texts one above the other, at one x. */
export function texts(lines: readonly { text: string; y: number }[], style: TextStyle): Layer {
  const { x, align = "left", role = "ink", weight = 400, size } = style;
  return {
    data: { values: [...lines] },
    mark: {
      type: "text",
      align,
      color: color(role),
      fontWeight: weight,
      ...(size !== undefined && { fontSize: size }),
    },
    encoding: { x: { value: x }, y: pixelY, text: { field: "text", type: "nominal" } },
  };
}

/** The y of a row's figures: next to its marks, or next to the label above them. */
export function figureY(layout: RowLayout, row: number): number {
  const { y, labelY } = layout.rows[row]!;
  return layout.format === "wide" ? y : labelY;
}

/** The x of the right edge of the picture, for right-aligned figures. */
export function rightEdge({ plotWidth, padding }: RowLayout): number {
  return plotWidth + padding.right - 4;
}

/** The head of a column of figures. */
export function columnHead({ padding }: RowLayout, text: string, style: TextStyle): Layer {
  return texts([{ text, y: 12 - padding.top }], { ...style, role: "muted", weight: 400, size: 12 });
}

/** A column of figures, one per row; empty for rows without one. */
export interface FigureColumn {
  head: string;
  figures: readonly (string | undefined)[];
  /** Pixels from its right edge to that of the previous column. */
  width: number;
  role?: Role;
  weight?: TextStyle["weight"];
}

/** Columns of figures at the right, the last one at the picture's edge. */
export function figureColumns(layout: RowLayout, columns: readonly FigureColumn[]): Layer[] {
  let x = rightEdge(layout);
  return columns.toReversed().flatMap(({ head, figures, width, role, weight }) => {
    const style = { x, align: "right", role, weight } as const;
    x -= width;
    const lines = figures.flatMap((text, row) => (text ? [{ text, y: figureY(layout, row) }] : []));
    return [columnHead(layout, head, style), texts(lines, style)];
  });
}

/** Dots on the chart's x scale, with a ring of the background colour to separate them. */
export function dots(data: { values: { y: number }[] }, x: PositionX, role: Role): Layer {
  return {
    data,
    mark: { type: "point", filled: true, size: 85, opacity: 1, strokeWidth: 1.5 },
    encoding: { x, y: pixelY, fill: { value: color(role) }, stroke: { value: color("surface") } },
  };
}

/** 95 % intervals: a line with an end tick each side. Pixels down, the chart's x scale across. */
export function intervals(values: readonly { y: number; low: number; high: number }[]): Layer[] {
  const data = { values: [...values] };
  const ends = (["low", "high"] as const).map(
    (field): Layer => ({
      data,
      mark: { type: "tick", orient: "vertical", color: color("ink"), thickness: 1.5, size: 10 },
      encoding: { x: { field, type: "quantitative" }, y: pixelY },
    }),
  );
  return [
    {
      data,
      mark: { type: "rule", color: color("ink"), strokeWidth: 1.5 },
      encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" }, y: pixelY },
    },
    ...ends,
  ];
}

/** A legend above the plot: a coloured sign and its meaning, one after the other. */
export function legend(
  { padding }: RowLayout,
  entries: readonly { sign: string; role: Role; text: string }[],
  entryWidth: number,
): Layer[] {
  const y = 12 - padding.top;
  return entries.flatMap(({ sign, role, text }, index) => [
    texts([{ text: sign, y }], { x: index * entryWidth, role, size: 14 }),
    texts([{ text, y }], { x: index * entryWidth + 17, role: "muted", size: 12 }),
  ]);
}

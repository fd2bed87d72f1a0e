/** The two widths of every chart: for pages, and for phones. */
export type Format = "wide" | "narrow";

/** Positions in a chart of rows (a label, marks on a shared x scale, figures at the right), in pixels. */
export interface RowLayout {
  format: Format;
  /** Width of the plot area, and of the whole picture. */
  plotWidth: number;
  plotHeight: number;
  padding: { left: number; right: number; top: number; bottom: number };
  rows: RowPlace[];
}

export interface RowPlace {
  /** The label's lines, its x from the plot's left edge and the y of its middle. */
  label: string[];
  labelX: number;
  labelY: number;
  /** The middle of the row's marks. */
  y: number;
}

export interface RowOptions {
  /** Room for figures right of the plot; 0 for none. */
  right: number;
  /** Room above the rows, for a legend or column heads. */
  top?: number;
  /** Room under the rows for the axis; default: the height of its title. */
  bottom?: number;
  /** Height of a row's marks. */
  marks?: number;
  /** Characters per line of a label above the marks, next to the figures. */
  labelBesideFigures?: number;
}

const totalWidth: Record<Format, number> = { wide: 800, narrow: 350 };
const gutter = 200;

/** Pixels from one line of a label to the next. */
export const LABEL_LINE = 16;

/** Lays out labelled rows: labels are left of the marks, or above them if there is little width. */
export function rowLayout(labels: readonly string[], format: Format, options: RowOptions): RowLayout {
  const narrow = format === "narrow";
  const { right, top = 8, bottom = narrow ? 64 : 46, marks = 26, labelBesideFigures = 50 } = options;
  const left = narrow ? 4 : gutter;
  let height = 0;
  const rows = labels.map((text): RowPlace => {
    const label = wrap(text, narrow ? labelBesideFigures : 26);
    const moreLines = (label.length - 1) * LABEL_LINE;
    const labelHeight = narrow ? 22 + moreLines : 0;
    // Beside the marks a label may be the taller one.
    const tall = narrow ? marks : Math.max(marks, 12 + moreLines);
    const start = height + 7;
    const y = start + labelHeight + tall / 2;
    height += tall + labelHeight + 14;
    return { label, labelX: narrow ? 0 : -14, labelY: narrow ? start + labelHeight / 2 - 1 : y, y };
  });
  return {
    format,
    plotWidth: totalWidth[format] - left - right,
    plotHeight: height,
    padding: { left, right, top, bottom },
    rows,
  };
}

/** Breaks a text into lines; a word that is longer than a line is cut. */
export function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const last = text.lastIndexOf(" ", width);
  const at = last > 0 ? last : text.indexOf(" ", width);
  return at < 0 ? [cut(text, width)] : [cut(text.slice(0, at), width), ...wrap(text.slice(at + 1), width)];
}

/** A text of at most `width` characters, with an ellipsis if truncated. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1).trimEnd()}…`;
}

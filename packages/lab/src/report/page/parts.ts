import type { RenderedChart } from "../charts/render.ts";
import { type Html, type HtmlValue, html, trusted } from "../html.ts";

/** A section with a heading, the target of `#id`. */
export function renderSection({ id, heading, body }: { id: string; heading: string; body: Html }): Html {
  return html`<section id="${id}"><h2>${heading}</h2>\n${body}</section>\n`;
}

/** A chart with its caption, in the drawing for the reader's width. */
export function figure({ inline }: RenderedChart, caption: HtmlValue): Html {
  const drawing = (format: "wide" | "narrow") =>
    trusted(inline[format].replace(/^<svg/, `<svg class="${format}"`));
  return html`<figure><div class="chart">${drawing("wide")}${drawing("narrow")}</div>
<figcaption>${caption}</figcaption></figure>
`;
}

/** Related figures, next to each other on a wide page. */
export function pair(...figures: readonly Html[]): Html {
  return html`<div class="pair">${figures}</div>
`;
}

/**
 * A text to copy, such as a command line, folded unless `open`, with a copy button. Without scripts there is no button.
 */
export function copyable(id: string, label: string, text: string, open = false): Html {
  return html`<div class="copyable"><details${open && trusted(" open")}><summary>${label}</summary>
<pre id="${id}">${text}</pre></details>
<button type="button" data-copy="${id}" aria-live="polite" title="Copy: ${label}" hidden>Copy</button></div>
`;
}

/** A warning before the figures. */
export function note(...paragraphs: HtmlValue[]): Html {
  return html`<div class="note" role="note">${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}</div>
`;
}

export interface KeyFigure {
  label: string;
  value: string;
  /** The figure to compare it with. */
  beside?: string;
}

/** The few figures to remember. */
export function keyFigures(figures: readonly KeyFigure[]): Html {
  return html`<dl class="key">${figures.map(
    ({ label, value, beside }) =>
      html`<div><dt>${label}</dt><dd class="value">${value}</dd>${beside && html`<dd class="beside">${beside}</dd>`}</div>`,
  )}</dl>
`;
}

export interface Column<Row> {
  head: string;
  cell: (row: Row) => HtmlValue;
  /** Omitted on a narrow page. */
  extra?: boolean;
  /** Prose: left-aligned, may wrap. */
  text?: boolean;
  className?: string;
}

/** A table of figures, one row per item; it scrolls on a narrow screen. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  rowClass: (row: Row) => string = () => "",
): Html {
  const classOf = ({ text, extra, className }: Column<Row>) =>
    [text && "text", extra && "extra", className].filter(Boolean).join(" ");
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.head}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr class="${rowClass(row)}">${columns.map((column, index) =>
      index === 0
        ? html`<th scope="row" class="${classOf(column)}">${column.cell(row)}</th>`
        : html`<td class="${classOf(column)}">${column.cell(row)}</td>`,
    )}</tr>\n`,
)}</tbody></table></div>
`;
}

/** Settings in named groups; empty groups are left out. */
export function facts(
  groups: readonly { title: string; settings: readonly { name: string; value: string }[] }[],
): Html {
  return html`<div class="facts">${groups
    .filter(({ settings }) => settings.length > 0)
    .map(
      ({ title, settings }) => html`<section><h3>${title}</h3><dl>
${settings.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl></section>`,
    )}</div>
`;
}

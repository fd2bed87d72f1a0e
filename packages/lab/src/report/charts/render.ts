import type { TopLevelSpec } from "vega-lite";
import { escapeHtml } from "../html.ts";
import { color, darkChartRules } from "./palette.ts";
import type { Format, RowLayout } from "./rows.ts";

/** Marks of one kind in a chart. */
export type Layer = Extract<TopLevelSpec, { layer: unknown }>["layer"][number];

/** A chart: its description, and its specification for a width. */
export interface Chart {
  /** File name without ending, and prefix of ids. */
  name: string;
  title: string;
  /** The chart in words, for screen readers. */
  description: string;
  draw: (format: Format) => Drawing;
}

export interface Drawing {
  layout: RowLayout;
  layers: Layer[];
}

export interface RenderedChart {
  name: string;
  title: string;
  description: string;
  /** For a page: no background; colours by the page's style sheet. */
  inline: Record<Format, string>;
  /** A stand-alone file with a background, light or dark by the reader's system. */
  file: string;
}

/** Draws a chart: two widths for pages, and the wide one as a stand-alone file. */
export async function renderChart(chart: Chart): Promise<RenderedChart> {
  const { name, title, description } = chart;
  const [wide, narrow] = await Promise.all([toSvg(chart.draw("wide")), toSvg(chart.draw("narrow"))]);
  return {
    name,
    title,
    description,
    inline: {
      wide: describe(wide, chart, `${name}-wide`, ""),
      narrow: describe(narrow, chart, `${name}-narrow`, ""),
    },
    file: describe(framed(wide), chart, name, backdrop),
  };
}

const margin = 16;

const backdrop = [
  `<style>@media (prefers-color-scheme:dark){${darkChartRules("")}}</style>`,
  `<rect x="-${margin}" y="-${margin}" width="100%" height="100%" fill="${color("surface")}"/>`,
].join("");

/** The drawing with the margin of a stand-alone picture. */
function framed(svg: string): string {
  return svg.replace(/ width="(\d+)" height="(\d+)" viewBox="[^"]*"/, (_, ...sides: string[]) => {
    const [width, height] = sides.slice(0, 2).map((side) => Number(side) + 2 * margin);
    return ` width="${width}" height="${height}" viewBox="-${margin} -${margin} ${width} ${height}"`;
  });
}

async function toSvg({ layout, layers }: Drawing): Promise<string> {
  // Loaded on demand, because most commands draw nothing.
  const [{ compile }, { parse, View }] = await Promise.all([import("vega-lite"), import("vega")]);
  const { spec } = compile({ ...frame(layout), layer: layers });
  const view = new View(parse(spec), { renderer: "none" });
  try {
    return tidy(await view.toSVG());
  } finally {
    view.finalize();
  }
}

function frame(layout: RowLayout): Omit<Extract<TopLevelSpec, { layer: unknown }>, "layer"> {
  const { plotWidth, plotHeight, padding, format } = layout;
  const small = format === "wide" ? 12 : 11;
  return {
    width: plotWidth,
    height: plotHeight,
    padding,
    autosize: "none",
    config: {
      aria: false,
      background: "transparent",
      font: fonts,
      view: { stroke: null },
      axis: {
        domain: false,
        ticks: false,
        gridColor: color("grid"),
        labelColor: color("muted"),
        labelFontSize: small,
        labelPadding: 8,
        // On a phone there is little room next to the plot: longer labels are omitted.
        labelBound: format === "narrow" ? padding.right : false,
        titleColor: color("muted"),
        titleFontSize: small,
        titleFontWeight: "normal",
        titlePadding: 8,
        titleAnchor: "start",
      },
      text: { color: color("ink"), fontSize: small + 1, baseline: "middle" },
    },
  };
}

const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/**
 * Removes Vega's attributes of each element that are not needed (the picture has one description), and excess decimals.
 */
function tidy(svg: string): string {
  return svg
    .replace(/ (?:class|role|aria-[a-z]+|pointer-events)="[^"]*"/g, "")
    .replaceAll(` font-family="${fonts}"`, "")
    .replace(/ (?:d|transform|x2|y2)="[^"]*"/g, (attribute) =>
      attribute.replace(/\d+\.\d{2,}/g, (number) => Number(number).toFixed(1)),
    )
    .replace(/<path d="M0,0h[\d.]+v[\d.]+h-?[\d.]+Z"\/>/g, "")
    .replace(/^<svg/, `<svg font-family="${fonts}"`);
}

/** Gives an SVG its role, title and description. */
function describe(svg: string, { title, description }: Chart, id: string, first: string): string {
  const head = [
    `<title id="${id}-title">${escapeHtml(title)}</title>`,
    `<desc id="${id}-desc">${escapeHtml(description)}</desc>`,
    first,
  ].join("");
  return svg.replace(
    /^<svg([^>]*)>/,
    (_, attributes: string) =>
      `<svg${attributes} role="img" aria-labelledby="${id}-title ${id}-desc">${head}`,
  );
}

import { stripVTControlCharacters, styleText } from "node:util";
import {
  type Findings,
  findings,
  format,
  headline,
  type MeasuredRung,
  qualification,
  type Results,
  type RungResult,
  type Verdict,
} from "@siphon/lab";
import { curveTable } from "./curve-table.ts";
import { plainTable } from "./plain-table.ts";

/** The terminal that a table is printed on. */
export interface Terminal {
  /** Characters per line; Infinity if unknown. */
  columns: number;
  color: boolean;
}

/** A ladder's results for a terminal: the main finding, a table as wide as fits, and below it the missing rungs. */
export function ladderTable(results: Results, terminal: Terminal = standardOutput()): string {
  const found = findings(results);
  const limits = qualification(found);
  const paint = painter(terminal);
  const curves = curveTable(found.measured, terminal.columns);
  const paragraphs = [
    paint("bold", plain(headline(found))),
    limits && plain(limits),
    "",
    widestFitting(found, terminal),
    "",
    ...results.rungs.flatMap((rung) =>
      rung.status === "measured" ? [] : [`${plain(rung.title)} ${rung.status}: ${plain(rung.reason)}`],
    ),
    curves,
    curves && "",
    paint("dim", "▲ better  ▼ worse  ≈ no significant difference  ? too few repeats to say"),
    results.accelerator.name === "tcg" &&
      paint("dim", "The guest was emulated (TCG): these figures rank the rungs, but are not absolute."),
  ];
  return paragraphs
    .filter((paragraph) => paragraph !== undefined && paragraph !== false)
    .map((paragraph) => wrap(paragraph, terminal.columns))
    .join("\n")
    .replaceAll("\u00a0", " ");
}

type Style = "bold" | "dim" | "green" | "yellow";
type Paint = (style: Style, text: string) => string;

interface Column {
  head: string;
  cell: (rung: MeasuredRung) => string;
  style?: (rung: MeasuredRung) => Style | undefined;
  /** A narrow terminal leaves out the columns of the highest ranks. */
  rank: number;
}

/** The table with as many columns as fit. On the narrowest terminals the titles are cut, too. */
function widestFitting(found: Findings, terminal: Terminal): string {
  const { rungs } = found.results;
  const all = columns(found);
  const paint = painter(terminal);
  const draw = (rank: number, titleWidth?: number) =>
    render(
      rungs,
      all.filter((column) => column.rank <= rank),
      paint,
      titleWidth,
    );
  for (let rank = Math.max(...all.map((column) => column.rank)); rank > 1; rank--) {
    const table = draw(rank);
    if (widthOf(table) <= terminal.columns) return table;
  }
  const excess = Math.max(0, widthOf(draw(1)) - terminal.columns);
  return draw(1, Math.max(6, Math.max(...rungs.map(({ title }) => title.length)) - excess));
}

function columns({ here, study, best }: Findings): Column[] {
  const factor = (ratio: number | undefined) => (ratio === undefined ? "" : format.times(ratio));
  return [
    {
      head: "IOPS",
      rank: 1,
      cell: ({ summary }) => format.count(summary.iops.median),
      style: (rung) => (rung === best ? "bold" : undefined),
    },
    { head: "95 % interval", rank: 4, cell: ({ summary }) => format.interval(summary.iops) },
    {
      head: "change",
      rank: 1,
      cell: ({ comparison }) => (comparison ? format.changeMark(comparison) : ""),
      style: ({ comparison }) => comparison && verdictStyles[comparison.verdict],
    },
    { head: "mean", rank: 5, cell: ({ summary }) => format.latency(summary.latencyMean.median) },
    { head: "p99", rank: 2, cell: ({ summary }) => format.latency(summary.latencyP99.median) },
    { head: "change", rank: 5, cell: ({ comparison }) => format.costMark(comparison?.costs?.latencyP99) },
    { head: "CPU per I/O", rank: 2, cell: ({ summary }) => format.cpuTime(summary.clientCpuPerIo.median) },
    { head: "change", rank: 2, cell: ({ comparison }) => format.costMark(comparison?.costs?.cpuPerIo) },
    { head: "factor", rank: 3, cell: ({ name }) => factor(here.get(name)?.median) },
    { head: "study", rank: 6, cell: ({ study: figure }) => (figure ? format.count(figure.iops) : "") },
    { head: "its factor", rank: 3, cell: ({ name }) => factor(study.get(name)) },
  ];
}

const verdictStyles: Record<Verdict, Style> = {
  faster: "green",
  slower: "yellow",
  "no significant difference": "dim",
  "too few repeats": "dim",
};

function render(
  rungs: readonly RungResult[],
  shown: readonly Column[],
  paint: Paint,
  titleWidth = Number.POSITIVE_INFINITY,
): string {
  const rows = rungs.map((rung) => {
    const title = cut(plain(rung.title), titleWidth);
    return rung.status === "measured"
      ? [title, ...shown.map(({ cell, style }) => painted(paint, style?.(rung), cell(rung)))]
      : [title, ...shown.map((_, index) => (index === 0 ? paint("dim", rung.status) : ""))];
  });
  return plainTable(
    ["rung", ...shown.map(({ head }) => head)].map((head) => paint("dim", head)),
    rows,
  );
}

function painted(paint: Paint, style: Style | undefined, text: string): string {
  return style ? paint(style, text) : text;
}

function painter({ color }: Terminal): Paint {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

/** The width of standard output, and whether it is a terminal with colours (unless NO_COLOR is set). */
function standardOutput(): Terminal {
  const { stdout } = process;
  return {
    columns: stdout.columns ?? Number.POSITIVE_INFINITY,
    color: stdout.isTTY === true && stdout.hasColors(),
  };
}

function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => stripVTControlCharacters(line).length));
}

/** Breaks long lines at spaces. */
function wrap(text: string, columns: number): string {
  if (widthOf(text) <= columns || text.includes("\n")) return text;
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (widthOf(longer) <= columns || lines.at(-1) === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Text from outside without its control characters, which a terminal would obey. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}+/gu, " ");
}

import { type Command, Option } from "commander";
import { badOption } from "./image-spec.ts";
import { toXml, type XmlNames } from "./xml.ts";

export interface FormatFlags {
  format: string;
  prettyFormat?: boolean;
}

const formats = ["plain", "json", "xml"];

export function withFormatFlags(command: Command): Command {
  return command
    .addOption(new Option("--format <format>", "form of the output").choices(formats).default("plain"))
    .option("--pretty-format", "indented JSON or XML");
}

/**
 * Prints a result in the requested format, as rbd does.
 *
 * @param xml names of the XML elements; missing if rbd has no XML for this output
 */
export function print(
  { format, prettyFormat = false }: FormatFlags,
  plain: () => string,
  json: () => unknown,
  xml?: XmlNames,
): void {
  const forms: Record<string, (() => string) | undefined> = {
    plain,
    json: () => `${JSON.stringify(json(), null, prettyFormat ? 4 : 0)}\n`,
    ...(xml && { xml: () => toXml(json(), xml, prettyFormat) }),
  };
  const form = forms[format];
  if (form === undefined) throw badOption(`there is no format ${format}: ${Object.keys(forms).join(", ")}`);
  process.stdout.write(form());
}

type Side = "left" | "right";

/** A column's heading, and the alignment of its cells and of its heading (default: left). */
export type Column = readonly [head: string, cells: Side, headSide?: Side];

/** Columns two spaces apart, each as wide as its widest cell. */
export function table(columns: readonly Column[], rows: readonly string[][]): string {
  const widths = columns.map(([head], i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const aligned = (cell: string, width: number, side: Side) =>
    side === "right" ? cell.padStart(width) : cell.padEnd(width);
  const lines = [
    columns.map(([head, , side = "left"], i) => aligned(head, widths[i]!, side)),
    ...rows.map((row) => row.map((cell, i) => aligned(cell, widths[i]!, columns[i]![1]))),
  ];
  return lines.map((cells) => `${cells.join("  ")}\n`).join("");
}

/** Local time in the format of ctime(3): `Mon Nov 23 00:25:16 2026`. */
export function ctime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = String(date.getDate()).padStart(2);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${days[date.getDay()]} ${months[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`;
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export interface ProgressFlags {
  progress: boolean;
}

/** Runs an action and shows its progress on standard error, as rbd does. */
export async function withProgress(
  title: string,
  { progress }: ProgressFlags,
  action: (onProgress: (done: number, total: number) => void) => Promise<void>,
): Promise<void> {
  let shown = -1;
  const show = (text: string) => progress && process.stderr.write(`\r${title}: ${text}`);
  try {
    await action((done, total) => {
      const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
      if (percent === shown) return;
      shown = percent;
      show(`${percent}% complete...`);
    });
    show("100% complete...done.\n");
  } catch (error) {
    show(`${Math.max(shown, 0)}% complete...failed.\n`);
    throw error;
  }
}

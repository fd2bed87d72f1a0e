import { styleText } from "node:util";
import type { Examination, FoundFinding } from "../examination.ts";
import type { Severity } from "../findings/finding.ts";
import { placeWords, titleOf, worthWords } from "./words.ts";

export interface TextOptions {
  /** Maximum characters a line; lines break at spaces. Infinity disables breaking. */
  columns: number;
  color: boolean;
}

const colours = { high: "red", medium: "yellow", low: "cyan", info: "dim" } as const satisfies Record<
  Severity,
  string
>;

/** An examination for a terminal: the verdict, then a block for each disk, then the VM. */
export function examinationText(examination: Examination, options: TextOptions): string {
  const { disks, vm, notes, unseen, verdict } = examination;
  const bold = (text: string) => (options.color ? styleText("bold", text, { validateStream: false }) : text);
  const lines = [bold(titleOf(examination)), ...wrap(verdict, 0, options.columns), ""];
  for (const { disk, rbd, source, findings } of disks) {
    const what = `${rbd ? "rbd" : "not on rbd"}${source === undefined ? "" : `  ${source}`}`;
    lines.push(`${bold(disk)}  ${what}`);
    if (findings.length === 0) lines.push(rbd ? "  nothing to fix" : "  not looked at");
    lines.push(...findings.flatMap((finding) => entry(finding, options)), "");
  }
  lines.push(bold("vm and host"));
  if (vm.findings.length === 0) lines.push("  nothing to fix");
  lines.push(...vm.findings.flatMap((finding) => entry(finding, options)), "");
  for (const note of notes) lines.push(...wrap(`note: ${note}`, 0, options.columns));
  for (const each of unseen) lines.push(...wrap(`not seen: ${each}`, 0, options.columns));
  return `${lines.join("\n").trimEnd()}\n`;
}

function entry(finding: FoundFinding, options: TextOptions): string[] {
  const { id, severity, title, why, fix, worth, place } = finding;
  const mark = severity.padEnd(6);
  const painted = options.color ? styleText(colours[severity], mark, { validateStream: false }) : mark;
  const width = options.columns;
  return [
    `  ${painted}  ${id}: ${title}  (${placeWords(place)})`,
    ...wrap(why, 10, width),
    ...wrap(`fix: ${fix}`, 10, width),
    ...(worth === null ? [] : wrap(`worth: ${worthWords(worth)}`, 10, width)),
  ];
}

function wrap(text: string, indent: number, columns: number): string[] {
  const room = Math.max(30, columns - indent);
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    if (last === "" || last.length + 1 + word.length <= room)
      lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => " ".repeat(indent) + line);
}

import type { Examination, FoundFinding } from "../examination.ts";
import { placeWords, titleOf, worthWords } from "./words.ts";

/** An examination for a ticket: the verdict, then one table for each disk. */
export function examinationMarkdown(examination: Examination): string {
  const { disks, vm, notes, unseen, verdict } = examination;
  const parts = [`## ${escaped(titleOf(examination))}`, escaped(verdict)];
  for (const { disk, rbd, source, findings } of disks) {
    parts.push(`### ${escaped(disk)}${source === undefined ? "" : ` (${escaped(source)})`}`);
    parts.push(findings.length > 0 ? table(findings) : rbd ? "Nothing to fix." : "Not on RBD.");
  }
  parts.push("### VM and host", vm.findings.length > 0 ? table(vm.findings) : "Nothing to fix.");
  const remarks = [...notes, ...unseen.map((each) => `Not seen: ${each}`)];
  if (remarks.length > 0) parts.push(remarks.map((remark) => `- ${escaped(remark)}`).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

function table(findings: readonly FoundFinding[]): string {
  const rows = findings.map(({ severity, id, why, fix, worth, place }) =>
    [
      severity,
      `\`${id}\``,
      escaped(why),
      code(fix),
      worth === null ? "" : escaped(worthWords(worth)),
      code(placeWords(place)),
    ].join(" | "),
  );
  return [
    "| severity | finding | why | change | worth | where |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

/** Escapes text for Markdown, including table cells. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, "\\$&").replace(/\s+/g, " ");
}

function code(text: string): string {
  const fence = text.includes("`") ? "``" : "`";
  return `${fence}${text.replaceAll("|", "\\|").replace(/\s+/g, " ")}${fence}`;
}

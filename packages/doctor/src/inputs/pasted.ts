import { blank, xmlAlone } from "./xml.ts";

const prompt = /^(?:[^\s@]{1,64}@[^\n]{0,256}?[#$%>]|\[[^\]\n]*\][#$]|[$#])[ \t]/;
const shows = /^(?:sudo[ \t]+)?(?:virsh|cat|less|more|kubectl|oc|qm|pct|incus|lxc|onetemplate)[ \t]/;

/** Blanks out what a terminal or a ticket adds around a text; lines and offsets stay the same. */
export function withoutTerminal(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.trim() !== "");
  if (first < 0) return text;
  if (isAround(lines[first]!)) lines[first] = blank(lines[first]!);
  if (
    last > first &&
    (/^```\s*$/.test(lines[last]!) || /^[^\s@]{1,64}@\S{1,256}[#$%>]\s*$/.test(lines[last]!))
  )
    lines[last] = blank(lines[last]!);
  return lines.join("\n");
}

function isAround(line: string): boolean {
  const command = line.replace(prompt, "");
  return /^```\w*\s*$/.test(line) || (command !== line && shows.test(command));
}

/** Alternative readings of a text in no known format: quoted as in a mail, indented as a whole, XML between sentences. */
export function* otherReadings(text: string): Generator<string> {
  const lines = text.split("\n");
  const filled = lines.filter((line) => line.trim() !== "");
  if (filled.length > 1 && filled.every((line) => line.startsWith(">")))
    yield lines.map((line) => line.replace(/^>[ \t]?/, "")).join("\n");
  const indent = filled.reduce(
    (least, line) => Math.min(least, /^[ \t]*/.exec(line)![0].length),
    Number.POSITIVE_INFINITY,
  );
  if (filled.length > 1 && indent > 0) yield lines.map((line) => line.slice(indent)).join("\n");
  if (/<\/domain\s*>/.test(text)) yield xmlAlone(text);
}

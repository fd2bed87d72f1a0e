import { printedTimes } from "../../../../cli/test/support/printed-times.ts";
import type { Answer } from "../../../../cli/test/support/rbd-in-process.ts";

export type Part = "code" | "stdout" | "stderr";

export interface Both {
  readonly ours: Answer;
  readonly theirs: Answer;
}

/** The parts in which the two results of a command line differ. */
export function differing({ ours, theirs }: Both): Part[] {
  const parts: Part[] = [];
  if (ours.code !== theirs.code) parts.push("code");
  if (leveled(ours.stdout) !== leveled(theirs.stdout)) parts.push("stdout");
  if (theirs.code !== 0 && !says(ours.stderr, firstWords(theirs.stderr))) parts.push("stderr");
  return parts;
}

/**
 * The words of a failed rbd that scripts match. Only rbd's own lines count, not librbd's. The words are the first errno with its
 * text, or else the first line.
 */
export function firstWords(stderr: string): string {
  const lines = withoutLog(stderr)
    .split(/[\r\n]+/)
    .filter((each) => each.startsWith("rbd: "));
  const [errno] = lines.flatMap((line) => /\(\d+\) [A-Z][\w' /-]+/.exec(line)?.[0] ?? []);
  // The period after a sentence is none of its words.
  return (errno ?? lines[0]?.slice("rbd: ".length) ?? "").trim().replace(/\.$/, "");
}

/** Removes librbd's log lines, which can start in the middle of one of rbd's lines. */
function withoutLog(stderr: string): string {
  return stderr.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d{4} [0-9a-f]{8,16} [^\n]*\n*/g, "");
}

function says(text: string, words: string): boolean {
  return leveled(text).includes(leveled(words));
}

/** Removes what differs between any two pools or points in time. */
export function leveled(text: string): string {
  return text
    .replaceAll(/pool-[ab]\d*/g, "POOL")
    .replaceAll(/\/(tmp\/|[\w./-]*siphon-lines-)[\w./-]+/g, "FILE")
    .replaceAll(/\.group\.\w+/g, "PART")
    .replaceAll(/\b[0-9a-f]{9,16}\b/g, "ID")
    .replaceAll(printedTimes, "TIME")
    .replaceAll(/client\.\d+|127\.0\.0\.1:\d+\/\d+/g, "CLIENT")
    .replaceAll(/ +/g, " ")
    .replaceAll(/"id": ?\d+|<id>\d+<\/id>|^ ?\d+ (?=\S+ \d+ [KMG]iB)/gm, "ID ")
    .replaceAll(/"snap_id": ?\d+|snap id: \d+|<snap_id>\d+/g, "ID ");
}

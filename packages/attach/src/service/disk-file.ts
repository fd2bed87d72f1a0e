import { AttachError } from "../errors.ts";
import { type DiskWords, isRepeatable } from "./disk-words.ts";

/**
 * A disk's file: lines `NAME = VALUE`. Empty lines and lines that begin with `#` are ignored. The values are not
 * checked.
 *
 * @throws AttachError SIPHON_USAGE with the number of the invalid line
 */
export function parseDiskFile(text: string): DiskWords {
  const words: Record<string, string | string[]> = {};
  for (const [i, line] of text.split("\n").entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, word, value] = /^\s*([a-z-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (word === undefined || value === undefined) {
      throw new AttachError("SIPHON_USAGE", `line ${i + 1} is not NAME = VALUE`);
    }
    const before = Object.hasOwn(words, word) ? words[word] : undefined;
    if (isRepeatable(word)) words[word] = [...(before ?? []), value];
    else if (before === undefined) words[word] = value;
    else throw new AttachError("SIPHON_USAGE", `line ${i + 1} repeats ${word}`);
  }
  return words;
}

export function formatDiskFile(words: DiskWords): string {
  return Object.entries(words)
    .flatMap(([word, value]) => [value].flat().map((each) => `${word} = ${each}\n`))
    .join("");
}

/** The most that a file may have. */
export const longestDiskFile = 64 << 10;

/**
 * The words as they come back from the file to which the service writes them.
 *
 * @throws AttachError SIPHON_USAGE where they would come back as others, or not at all
 */
export function asInFile(words: DiskWords): DiskWords {
  if (Buffer.byteLength(formatDiskFile(words)) > longestDiskFile) {
    throw new AttachError("SIPHON_USAGE", `a disk's file has at most ${longestDiskFile} bytes`);
  }
  const entries = Object.entries(words).map(([word, value]): [string, string | readonly string[]] => {
    const back = throughFile(word, value);
    if (back !== undefined && String(back) === String(value)) return [word, back];
    throw new AttachError("SIPHON_USAGE", `${word} has characters that a disk's file cannot hold`);
  });
  return Object.fromEntries(entries);
}

function throughFile(word: string, value: string | readonly string[]): DiskWords[string] | undefined {
  try {
    return parseDiskFile(Buffer.from(formatDiskFile({ [word]: value })).toString())[word];
  } catch {
    // There is a line's end in it, as a pattern has it.
    return undefined;
  }
}

/** The text of a file with one word changed or removed. */
export function withWord(text: string, word: string, value: string | undefined): string {
  const lines = text.split("\n").filter((line) => !new RegExp(`^\\s*${word}\\s*=`).test(line));
  while (lines.at(-1) === "") lines.pop();
  if (value !== undefined) lines.push(`${word} = ${value}`);
  return `${lines.join("\n")}\n`;
}

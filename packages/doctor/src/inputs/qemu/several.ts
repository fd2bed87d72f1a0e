import type { InputFile } from "../input.ts";
import { isProgram } from "./arguments.ts";

/**
 * The command lines of a text, each where it stands: what `ps` prints has a process a line. A text that a shell or libvirt's log continues
 * over lines is one.
 */
export function commandLines(file: InputFile): InputFile[] {
  const { name, text } = file;
  const lines = text.split("\n");
  const own = linesOfCommands(text);
  if (own.length < 2) return [file];
  return own.map((index) => ({ name, text: "\n".repeat(index) + lines[index]! }));
}

/** Numbers, from 0, of the lines that are a command line each; none where the whole text is one. */
export function linesOfCommands(text: string): number[] {
  if (text.includes("\0") || /\\\r?\n/.test(text)) return [];
  const starts = text.split("\n").flatMap((line, index) => (isCommand(line) ? [index] : []));
  return starts.length < 2 ? [] : starts;
}

/** A line with QEMU's program and options after it; `grep kvm` among the processes is none. */
function isCommand(line: string): boolean {
  const words = line.split(/\s+/);
  const at = words.findIndex((word) => isProgram(word.replace(/^['"]|['"]$/g, "")));
  if (at < 0 || words.slice(0, at).some((word) => /(^|\/)(e?grep|vi|vim|less|man)$/.test(word))) return false;
  return /^--?[A-Za-z]/.test(words[at + 1] ?? "");
}

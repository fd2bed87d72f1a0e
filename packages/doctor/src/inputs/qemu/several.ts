import type { InputFile } from "../input.ts";
import { isProgram } from "./arguments.ts";

/**
 * The command lines of a text, each where it stands: what `ps` prints has a process a line. A text that a shell or libvirt's log continues
 * over lines is one.
 */
export function commandLines(file: InputFile): InputFile[] {
  const { name, text } = file;
  if (text.includes("\0") || /\\\r?\n/.test(text)) return [file];
  const lines = text.split("\n");
  const starts = lines.flatMap((line, index) => (isCommand(line) ? [index] : []));
  if (starts.length < 2) return [file];
  return starts.map((index) => ({ name, text: "\n".repeat(index) + lines[index]! }));
}

/** A line with QEMU's program and options after it; `grep kvm` among the processes is none. */
function isCommand(line: string): boolean {
  const words = line.split(/\s+/);
  const at = words.findIndex((word) => isProgram(word.replace(/^['"]|['"]$/g, "")));
  if (at < 0 || words.slice(0, at).some((word) => /(^|\/)(e?grep|vi|vim|less|man)$/.test(word))) return false;
  return /^--?[A-Za-z]/.test(words[at + 1] ?? "");
}

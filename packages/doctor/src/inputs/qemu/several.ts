import type { InputFile } from "../input.ts";
import { isProgram } from "./arguments.ts";

/**
 * The command lines in a text, with their positions: the output of `ps` has one process a line. A command that a shell or libvirt's log
 * continues over several lines is one command line.
 */
export function commandLines(file: InputFile): InputFile[] {
  const { name, text } = file;
  const lines = text.split("\n");
  const own = linesOfCommands(text);
  if (own.length < 2) return [file];
  return own.map((index) => ({ name, text: "\n".repeat(index) + lines[index]! }));
}

/** The numbers (from 0) of lines that are a command line each; empty if the whole text is one command line. */
export function linesOfCommands(text: string): number[] {
  if (text.includes("\0") || /\\\r?\n/.test(text)) return [];
  const starts = text.split("\n").flatMap((line, index) => (isCommand(line) ? [index] : []));
  return starts.length < 2 ? [] : starts;
}

/** Whether a line has a QEMU program followed by options, unlike `grep kvm` in a list of processes. */
function isCommand(line: string): boolean {
  const words = line.split(/\s+/);
  const at = words.findIndex((word) => isProgram(word.replace(/^['"]|['"]$/g, "")));
  if (at < 0 || words.slice(0, at).some((word) => /(^|\/)(e?grep|vi|vim|less|man)$/.test(word))) return false;
  return /^--?[A-Za-z]/.test(words[at + 1] ?? "");
}

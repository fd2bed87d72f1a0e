import { DoctorError } from "../../errors.ts";
import { Lines, type Place } from "../../model/place.ts";
import type { InputFile } from "../input.ts";
import { flags, valued } from "./option-names.ts";

/** One option of a command line: `-drive` with its argument. */
export interface QemuOption {
  /** Without dashes. */
  name: string;
  value: string;
  place: Place;
}

export interface QemuArguments {
  program: string;
  /** The program's environment, if the text shows it. */
  environment: ReadonlyMap<string, string>;
  options: QemuOption[];
}

interface Word {
  text: string;
  offset: number;
}

/**
 * Reads a QEMU command line: from `ps` (no quotes, values may contain spaces), from a shell or libvirt's log (quotes and
 * continued lines), or from /proc/PID/cmdline (words that end with NUL).
 *
 * @throws DoctorError SIPHON_BAD_INPUT if no word is a QEMU program
 */
export function readArguments({ name: file, text }: InputFile): QemuArguments {
  const lines = new Lines(text);
  const start = startOfCommand(text);
  const { words, exact } = splitWords(text, start);
  const first = words.findIndex(({ text: word }) => isProgram(word));
  if (first < 0) {
    throw new DoctorError("SIPHON_BAD_INPUT", `${file} names no QEMU program`, {
      hint: "give the whole command line, including the program, as ps -o args= prints it",
    });
  }
  const environment = new Map<string, string>();
  for (const { text: word } of words.slice(0, first)) {
    const equals = word.indexOf("=");
    if (equals > 0 && /^\w+$/.test(word.slice(0, equals)))
      environment.set(word.slice(0, equals), word.slice(equals + 1));
  }
  const rest = words.slice(first + 1);
  const options = (exact ? exactOptions(rest) : looseOptions(rest)).map(({ name, value, offset }) => ({
    name,
    value,
    place: { file, ...lines.at(offset), path: `-${name}` },
  }));
  return { program: words[first]!.text, environment, options };
}

/** Whether a word names a QEMU that runs VMs. */
export function isProgram(word: string): boolean {
  const base = word.slice(word.lastIndexOf("/") + 1);
  return /^(qemu-system-[\w-]+|qemu-kvm[\w.-]*|kvm|kvm-spice|qemu|qemu\.wrapper|qemu-[\w.]*kvm[\w.-]*)(\.real)?$/.test(
    base,
  );
}

/** libvirt's log may contain several starts: the last one counts. */
function startOfCommand(text: string): number {
  let at = -1;
  for (const match of text.matchAll(/^\d{4}-\d\d-\d\d .*starting up libvirt version.*$/gm))
    at = match.index + match[0].length;
  return Math.max(at, 0);
}

/** Splits by shell rules if the text shows signs of a shell, otherwise at white space. */
function splitWords(text: string, start: number): { words: Word[]; exact: boolean } {
  if (text.includes("\0")) return { words: splitAt(text, start, "\0"), exact: true };
  const body = text.slice(start);
  if (/\\\r?\n/.test(body) || /(^|[\s=])(['"])[^'"\n]*\2(?=\s|$)/.test(withoutJson(body)) || /'\{/.test(body))
    return { words: shellWords(text, start), exact: true };
  const words: Word[] = [];
  for (const match of body.matchAll(/\S+/g)) words.push({ text: match[0], offset: start + match.index });
  return { words, exact: false };
}

/** Empties JSON objects: their double quotes in the output of ps are not a shell's. */
function withoutJson(text: string): string {
  return text.replace(/\{"[^\n]*?\}(?=\s+-|\s*$)/g, "{}");
}

function splitAt(text: string, start: number, separator: string): Word[] {
  const words: Word[] = [];
  let from = start;
  for (let at = text.indexOf(separator, from); at >= 0; at = text.indexOf(separator, from)) {
    words.push({ text: text.slice(from, at), offset: from });
    from = at + 1;
  }
  if (from < text.length) words.push({ text: text.slice(from), offset: from });
  return words;
}

function shellWords(text: string, start: number): Word[] {
  const words: Word[] = [];
  let word: Word | undefined;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      // In libvirt's log the command ends at a line end without a backslash.
      if (character === "\n" && word !== undefined && words.some(({ text: known }) => isProgram(known))) {
        words.push(word);
        return words;
      }
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= { text: "", offset: at };
    if (character === "'" || character === '"') {
      const [inside, end] = quoted(text, at + 1, character);
      word.text += inside;
      at = end;
    } else if (character === "\\" && at + 1 < text.length) {
      at++;
      if (text[at] === "\r" && text[at + 1] === "\n") at++;
      if (text[at] !== "\n") word.text += text[at];
      else if (word.text === "") word = undefined;
    } else word.text += character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The content of a quotation, and where it ends (at the end of the text if it is not closed). */
function quoted(text: string, start: number, quote: string): [inside: string, end: number] {
  let inside = "";
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (character === quote) return [inside, at];
    if (quote === '"' && character === "\\" && /["\\$`\n]/.test(text[at + 1] ?? "")) {
      at++;
      if (text[at] !== "\n") inside += text[at];
    } else inside += character;
  }
  return [inside, text.length];
}

interface LooseOption {
  name: string;
  value: string;
  offset: number;
}

function exactOptions(words: readonly Word[]): LooseOption[] {
  const options: LooseOption[] = [];
  for (let at = 0; at < words.length; at++) {
    const { text, offset } = words[at]!;
    const name = nameOf(text);
    if (name === undefined) options.push({ name: "hda", value: text, offset });
    else if (flags.has(name)) options.push({ name, value: "", offset });
    else options.push({ name, value: words[++at]?.text ?? "", offset });
  }
  return options;
}

/** Without quotes a value extends to the next word that is a QEMU option. */
function looseOptions(words: readonly Word[]): LooseOption[] {
  const options: LooseOption[] = [];
  let open: LooseOption | undefined;
  for (const { text, offset } of words) {
    const name = nameOf(text);
    const complete = open !== undefined && open.value !== "" && !isOpenJson(open.value);
    const starts = name !== undefined && (flags.has(name) || valued.has(name));
    if (starts && (open === undefined || complete || open.value === "")) {
      open = { name, value: "", offset };
      options.push(open);
      if (flags.has(name)) open = undefined;
    } else if (open !== undefined) open.value += (open.value === "" ? "" : " ") + text;
    else options.push({ name: name ?? "hda", value: name === undefined ? text : "", offset });
  }
  return options;
}

function nameOf(word: string): string | undefined {
  return /^--?([A-Za-z][\w-]*)$/.exec(word)?.[1];
}

/** Whether a value begins as JSON and its braces are not balanced yet. */
function isOpenJson(value: string): boolean {
  if (!value.startsWith("{")) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
  }
  return depth > 0 || inString;
}

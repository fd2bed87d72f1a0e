import type { Element } from "./xml.ts";

/** An edit: replaces the text between two offsets. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Changes attributes in an element's start tag and nothing else. */
export function attributeEdit(
  text: string,
  { node }: Element,
  attributes: Readonly<Record<string, string | undefined>>,
): Edit {
  const end = endOfTag(text, node.start);
  let tag = text.slice(node.start, end);
  for (const [name, value] of Object.entries(attributes)) {
    const pattern = new RegExp(`\\s+${name}\\s*=\\s*(?:'[^']*'|"[^"]*")`);
    const present = pattern.test(tag);
    if (value === undefined) tag = tag.replace(pattern, "");
    else if (present) tag = tag.replace(pattern, ` ${name}='${value}'`);
    else tag = tag.replace(/\s*(\/?>)$/, ` ${name}='${value}'$1`);
  }
  return { start: node.start, end, text: tag };
}

function endOfTag(text: string, start: number): number {
  let quote = "";
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === "'" || character === '"') quote = character;
    else if (character === ">") return at + 1;
  }
  return text.length;
}

/** Inserts a line after an element, with the element's indentation. */
export function insertAfter({ node }: Element, text: string, line: string): Edit {
  return { start: node.end, end: node.end, text: `\n${indentOf(text, node.start)}${line}` };
}

export function insertInside({ node }: Element, text: string, line: string): Edit {
  const at = endOfTag(text, node.start);
  return { start: at, end: at, text: `\n${indentOf(text, node.start)}  ${line}` };
}

function indentOf(text: string, offset: number): string {
  return /[ \t]*$/.exec(text.slice(0, offset))![0];
}

/** Removes an element, and its line if nothing else is on it. */
export function removal(text: string, { node }: Element): Edit {
  const before = text.slice(0, node.start);
  const start = node.start - indentOf(text, node.start).length;
  const alone = (start === 0 || before[start - 1] === "\n") && /^[ \t]*\n/.test(text.slice(node.end));
  if (!alone) return { start: node.start, end: node.end, text: "" };
  return { start, end: node.end + /^[ \t]*\n/.exec(text.slice(node.end))![0].length, text: "" };
}

/** Applies all edits at once; edits must not overlap. */
export function apply(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((whole, { start, end, text: piece }) => whole.slice(0, start) + piece + whole.slice(end), text);
}

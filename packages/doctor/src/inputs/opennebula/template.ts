import { Lines, type Place } from "../../model/place.ts";
import type { InputFile } from "../input.ts";

/** `KEY = "value"` or `KEY = [ KEY = "value", ... ]`; a key may occur several times. */
export interface Attribute {
  key: string;
  value: string;
  inside: readonly Attribute[];
  place: Place;
}

/** Reads an OpenNebula template in its own syntax and skips what it cannot read. */
export function readTemplate({ name: file, text }: InputFile): Attribute[] {
  const lines = new Lines(text);
  const place = (offset: number, path: string): Place => ({ file, line: lines.at(offset).line, path });
  const attributes: Attribute[] = [];
  // A # outside a string begins a comment to the end of the line.
  const token = /#[^\n]*|([A-Za-z_]\w*)\s*=\s*(\[|"((?:\\.|[^"\\])*)"|[^\s,\]"[#]+)|\]/g;
  let open: { attribute: Attribute; inside: Attribute[] } | undefined;
  for (const match of text.matchAll(token)) {
    if (match[0] === "]") {
      open = undefined;
      continue;
    }
    const [, key, raw, quoted] = match;
    if (key === undefined || raw === undefined) continue;
    const name = key.toUpperCase();
    const value = raw === "[" ? "" : (quoted?.replace(/\\(["\\])/g, "$1") ?? raw);
    const inside: Attribute[] = [];
    const path = open === undefined ? name : `${open.attribute.key}/${name}`;
    const attribute = { key: name, value, inside, place: place(match.index, path) };
    if (open === undefined) attributes.push(attribute);
    else open.inside.push(attribute);
    if (raw === "[" && open === undefined) open = { attribute, inside };
  }
  return attributes;
}

/** The last attribute with that key, which counts. */
export function attributeOf(attributes: readonly Attribute[], key: string): Attribute | undefined {
  return attributes.findLast((attribute) => attribute.key === key);
}

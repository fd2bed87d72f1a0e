import { parseXml, XmlElement, XmlError } from "@rgrove/parse-xml";
import { DoctorError } from "../errors.ts";
import { Lines, type Place } from "../model/place.ts";
import type { InputFile } from "./input.ts";

/** An XML element with its place and access to its children. */
export class Element {
  readonly node: XmlElement;
  readonly #file: string;
  readonly #lines: Lines;
  readonly #path: string;

  constructor(node: XmlElement, file: string, lines: Lines, path: string) {
    this.node = node;
    this.#file = file;
    this.#lines = lines;
    this.#path = path;
  }

  get name(): string {
    return this.node.name;
  }

  get place(): Place {
    return { file: this.#file, ...this.#lines.at(this.node.start), path: this.#path };
  }

  /** The text of the element and its descendants, trimmed. */
  get text(): string {
    return this.node.text.trim();
  }

  attribute(name: string): string | undefined {
    return Object.hasOwn(this.node.attributes, name) ? this.node.attributes[name] : undefined;
  }

  /** The place of an attribute: its element's line and column. */
  placeOf(attribute: string): Place {
    return { ...this.place, path: `${this.#path}/@${attribute}` };
  }

  /** Children with that local name, whatever their namespace prefix. */
  all(name: string): Element[] {
    const named = this.node.children.filter(
      (child): child is XmlElement => child instanceof XmlElement && localName(child.name) === name,
    );
    return named.map((child, index) => {
      const step = named.length > 1 ? `${name}[${index + 1}]` : name;
      return new Element(child, this.#file, this.#lines, `${this.#path}/${step}`);
    });
  }

  /** The first child along a path of names. */
  find(...path: string[]): Element | undefined {
    let at: Element | undefined = this;
    for (const name of path) at = at?.all(name)[0];
    return at;
  }
}

const roots = "domain|domstatus|domainsnapshot|domaincheckpoint|disk|pool";

/**
 * Blanks out the text around the XML, such as a terminal's prompt; offsets and lines stay the same. A text without a known root
 * element is returned unchanged.
 */
export function xmlAlone(text: string): string {
  const start = text.search(new RegExp(`<\\?xml|<!--|<(${roots})[\\s>]`));
  if (start < 0 || !new RegExp(`<(${roots})[\\s>]`).test(text)) return text;
  const ends = [...text.matchAll(new RegExp(`</(?:${roots})\\s*>|-->`, "g"))];
  const last = ends.at(-1);
  const end = last === undefined ? text.length : last.index + last[0].length;
  // XML allows a declaration only at the very beginning, and nothing in it is needed.
  const body = text.slice(start, end).replace(/^<\?xml[^>]*\?>/, blank);
  return blank(text.slice(0, start)) + body + blank(text.slice(end));
}

/** Replaces a text by blanks and keeps its line ends. */
export function blank(text: string): string {
  return text.replace(/[^\r\n]/g, " ");
}

/**
 * The root element of a document.
 *
 * @throws DoctorError SIPHON_BAD_INPUT with the line of the error; the message quotes nothing of the text
 */
export function readXml({ name, text: whole }: InputFile): Element {
  const text = xmlAlone(whole);
  const lines = new Lines(text);
  try {
    const { root } = parseXml(text, { includeOffsets: true, ignoreUndefinedEntities: true });
    if (root !== null) return new Element(root, name, lines, `/${localName(root.name)}`);
  } catch (error) {
    if (error instanceof RangeError) throw broken(name, "it nests too deeply");
    if (!(error instanceof XmlError)) throw error;
    throw broken(name, `line ${error.line}, column ${error.column}`);
  }
  throw broken(name, "it has no element");
}

function broken(name: string, where: string): DoctorError {
  return new DoctorError("SIPHON_BAD_INPUT", `${name} is not valid XML: ${where}`, {
    hint: "give the whole document, as virsh dumpxml prints it",
  });
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

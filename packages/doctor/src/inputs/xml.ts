import { parseXml, XmlElement, XmlError } from "@rgrove/parse-xml";
import { DoctorError } from "../errors.ts";
import { Lines, type Place } from "../model/place.ts";
import type { InputFile } from "./input.ts";

/** An XML element with its place, and the children that readers ask for. */
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

  /** The text of it and all below, without white space around it. */
  get text(): string {
    return this.node.text.trim();
  }

  attribute(name: string): string | undefined {
    return Object.hasOwn(this.node.attributes, name) ? this.node.attributes[name] : undefined;
  }

  /** Place of an attribute: that of its element. */
  placeOf(attribute: string): Place {
    return { ...this.place, path: `${this.#path}/@${attribute}` };
  }

  /** Children of a name, whatever their namespace prefix. */
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
 * The text with blanks in the place of what stands around its XML, such as a terminal's prompt: offsets and lines stay. Texts without a
 * root that is known come back as they are.
 */
export function xmlAlone(text: string): string {
  const start = text.search(new RegExp(`<\\?xml|<!--|<(${roots})[\\s>]`));
  if (start < 0 || !new RegExp(`<(${roots})[\\s>]`).test(text)) return text;
  const ends = [...text.matchAll(new RegExp(`</(?:${roots})\\s*>|-->`, "g"))];
  const last = ends.at(-1);
  const end = last === undefined ? text.length : last.index + last[0].length;
  // A declaration is allowed at the very beginning alone, and says nothing that is needed.
  const body = text.slice(start, end).replace(/^<\?xml[^>]*\?>/, blank);
  return blank(text.slice(0, start)) + body + blank(text.slice(end));
}

/** Blanks in the place of a text; its lines stay. */
export function blank(text: string): string {
  return text.replace(/[^\r\n]/g, " ");
}

/**
 * The root element of a document.
 *
 * @throws DoctorError SIPHON_BAD_INPUT with the line where the document breaks off; nothing of the text is in the message
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

import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import { DoctorError } from "../errors.ts";
import type { Place } from "../model/place.ts";
import type { InputFile } from "./input.ts";

/** A value in a YAML document, with the places of everything in it. */
export class YamlValue {
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;
  readonly #path: readonly (string | number)[];

  constructor(
    document: Document,
    lines: LineCounter,
    file: string,
    path: readonly (string | number)[],
    value: unknown,
  ) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
    this.#path = path;
    this.value = value;
  }

  /** The place of the value at a path, or of its nearest existing ancestor. */
  place(...path: (string | number)[]): Place {
    const whole = [...this.#path, ...path];
    for (let length = whole.length; length >= 0; length--) {
      const node =
        length === 0 ? this.#document.contents : this.#document.getIn(whole.slice(0, length), true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = this.#lines.linePos(node.range[0]);
      return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1), path: formatPath(whole) };
    }
    return { file: this.#file, line: 1 };
  }

  /** The value at a path; undefined if there is none. */
  get(...path: (string | number)[]): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Record<string | number, unknown>)[step];
    }
    return value;
  }

  text(...path: (string | number)[]): string | undefined {
    const value = this.get(...path);
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined;
  }

  /** The value at a path, with its places. */
  at(...path: (string | number)[]): YamlValue {
    return new YamlValue(
      this.#document,
      this.#lines,
      this.#file,
      [...this.#path, ...path],
      this.get(...path),
    );
  }

  list(...path: (string | number)[]): YamlValue[] {
    const value = this.get(...path);
    return Array.isArray(value) ? value.map((_, index) => this.at(...path, index)) : [];
  }

  keys(...path: (string | number)[]): string[] {
    const value = this.get(...path);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  }
}

/**
 * All documents of a YAML (or JSON) text.
 *
 * @throws DoctorError SIPHON_BAD_INPUT with the line of the error; the message quotes nothing of the text
 */
export function readYaml({ name, text }: InputFile): YamlValue[] {
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, logLevel: "silent" });
    if (!Array.isArray(documents)) return [];
    return documents.flatMap((document) => {
      const error = document.errors[0];
      if (error !== undefined) throw broken(name, `line ${lines.linePos(error.pos[0]).line}`);
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      return value === null || value === undefined ? [] : [new YamlValue(document, lines, name, [], value)];
    });
  } catch (error) {
    if (error instanceof DoctorError) throw error;
    throw broken(
      name,
      error instanceof RangeError
        ? "it nests too deeply"
        : "it has an invalid alias, or one that expands too far",
    );
  }
}

function broken(name: string, where: string): DoctorError {
  return new DoctorError("SIPHON_BAD_INPUT", `${name} is not valid YAML: ${where}`, {
    hint: "render templates first (helm template, kubectl get -o yaml)",
  });
}

function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

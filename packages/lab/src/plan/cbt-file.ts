import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { LabError } from "../errors.ts";
import { readInput } from "../input.ts";

/** Something of a CBT test plan that siphon does not take over as it stands. */
export interface LeftOut {
  /** Line of the file, from 1. */
  line: number;
  /** Text of the place: `cluster.fs: xfs`. */
  what: string;
  /** Why, or what siphon does instead. */
  why: string;
}

/** Part of a test plan: where it stands, and its options. */
export type Options = Record<string, unknown>;

/** CBT's own test plan: YAML, with the line of everything in it, and the list of what is left out. */
export class CbtFile {
  readonly path: string;
  readonly content: Options;
  readonly leftOut: LeftOut[] = [];
  readonly #root: Node | null;
  readonly #lines: LineCounter;

  constructor(path: string, text: string) {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const [error] = document.errors;
    if (error) throw new LabError("SIPHON_USAGE", `the test plan ${path} is no YAML: ${error.message}`);
    this.path = path;
    this.#root = document.contents;
    this.#lines = lines;
    this.content = mapping(document.toJS());
  }

  static async read(path: string): Promise<CbtFile> {
    return new CbtFile(path, await readInput(path, "test plan"));
  }

  /** Lists an option as left out; its place is a path of keys. */
  leave(place: string[], why: string): void {
    const value = place.reduce<unknown>((at, key) => (at as Options | undefined)?.[key], this.content);
    const what = `${place.join(".")}: ${short(value)}`;
    if (this.leftOut.some((other) => other.what === what && other.why === why)) return;
    this.leftOut.push({ line: this.#line(place), what, why });
  }

  /** The line of the key that a place ends with. */
  #line(place: string[]): number {
    let node: unknown = this.#root;
    let offset = 0;
    for (const key of place) {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      if (!pair) break; // it came in by an alias: the line of what refers to it will do
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    }
    return this.#lines.linePos(offset).line;
  }
}

/** The value as a mapping; an empty one where it is none. */
export function mapping(value: unknown): Options {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Options) : {};
}

/** CBT takes a list of values for a list of tests, and one value as a list of one. */
export function values(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value].flat();
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

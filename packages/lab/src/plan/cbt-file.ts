import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { LabError } from "../errors.ts";
import { readInput } from "../input.ts";

/** A part of a CBT test plan that siphon ignores or changes. */
export interface LeftOut {
  /** Line of the file, from 1. */
  line: number;
  /** Text of the place: `cluster.fs: xfs`. */
  what: string;
  /** Why, or what siphon does instead. */
  why: string;
}

/** Part of a test plan: its place and options. */
export type Options = Record<string, unknown>;

/** A CBT test plan: YAML with line numbers, and the list of ignored parts. */
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

  /** Records an ignored option; its place is a path of keys. */
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
      if (!pair) break; // it came from an alias: use the line of the reference
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    }
    return this.#lines.linePos(offset).line;
  }
}

/** The value as a mapping; empty if it is not one. */
export function mapping(value: unknown): Options {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Options) : {};
}

/** CBT runs a test for each value of a list; a single value is a list of one. */
export function values(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value].flat();
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

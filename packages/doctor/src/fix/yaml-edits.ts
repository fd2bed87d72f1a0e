import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from "yaml";

export type Path = readonly (string | number)[];

type Value = string | number | boolean;

/** Edits YAML documents in place: everything else, including comments and layout, stays as it is. */
export class YamlText {
  #text: string;
  #documents: Document[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  get length(): number {
    return this.#parsed().length;
  }

  get(document: number, path: Path): unknown {
    return this.#parsed()[document]?.getIn(path);
  }

  has(document: number, path: Path): boolean {
    return this.#parsed()[document]?.hasIn(path) ?? false;
  }

  /** Number of the items of a list; 0 where there is none. */
  count(document: number, path: Path): number {
    const node = this.#node(document, path);
    return isCollection(node) ? node.items.length : 0;
  }

  /** Sets a key's value and creates missing parent mappings; returns false if nothing changes or the key has no place. */
  set(document: number, path: Path, value: Value): boolean {
    if (this.get(document, path) === value) return false;
    const present = this.#node(document, path);
    if (isScalar(present)) return this.#replaceScalar(present, value);
    if (present !== undefined) return false;
    for (let length = path.length - 1; length >= 0; length--) {
      const above = this.#node(document, path.slice(0, length));
      if (above === undefined) continue;
      const missing = path.slice(length).map(String);
      if (isMap(above)) return this.#insert(above, missing, value);
      // An empty key holds null, which a mapping may replace; any other scalar stays.
      if (!isScalar(above) || above.value !== null || !above.range) return false;
      const [start, end] = above.range;
      const inside = `{${flow(missing, value, false)}}`;
      this.#splice(
        start,
        end,
        start === end && /\S/.test(this.#text[start - 1] ?? "") ? ` ${inside}` : inside,
      );
      return true;
    }
    return false;
  }

  /** Removes a key and its value; a mapping that becomes empty is written as `{}`. */
  drop(document: number, path: Path): boolean {
    const above = this.#node(document, path.slice(0, -1));
    if (!isMap(above) || !above.range) return false;
    const index = above.items.findIndex(({ key }) => isScalar(key) && key.value === path.at(-1));
    const pair = above.items[index];
    if (pair === undefined) return false;
    if (above.items.length === 1) {
      this.#splice(startOf(above.items[0]!), this.#endOf(above, pair), "{}");
      return true;
    }
    const next = above.items[index + 1];
    if (above.flow === true) {
      const previous = above.items[index - 1];
      if (next !== undefined) this.#splice(startOf(pair), startOf(next), "");
      else this.#splice(this.#endOf(above, previous!), this.#endOf(above, pair), "");
      return true;
    }
    const line = this.#text.lastIndexOf("\n", startOf(pair)) + 1;
    // The first key of a list item shares its line with the dash.
    if (/\S/.test(this.#text.slice(line, startOf(pair)))) this.#splice(startOf(pair), startOf(next!), "");
    else this.#splice(line, this.#lineEnd(this.#endOf(above, pair)) + 1, "");
    return true;
  }

  #parsed(): Document[] {
    if (this.#documents === undefined) {
      const documents = parseAllDocuments(this.#text, { uniqueKeys: false, logLevel: "silent" });
      this.#documents = Array.isArray(documents) ? documents : [];
    }
    return this.#documents;
  }

  #node(document: number, path: Path): Node | undefined {
    const parsed = this.#parsed()[document];
    const node = path.length === 0 ? parsed?.contents : parsed?.getIn(path, true);
    return isNode(node) ? node : undefined;
  }

  #splice(start: number, end: number, text: string): void {
    this.#text = this.#text.slice(0, start) + text + this.#text.slice(end);
    this.#documents = undefined;
  }

  #replaceScalar(
    { range, value: known }: Node & { range?: unknown; value?: unknown },
    value: Value,
  ): boolean {
    if (!Array.isArray(range)) return false;
    const [start] = range as [number, number, number];
    // The range of a block scalar (`|`, `>`) includes its last line end.
    const end = start + this.#text.slice(start, range[1]).trimEnd().length;
    const first = this.#text[start] ?? "";
    const isQuoted = known !== null && (first === '"' || first === "'") && typeof value === "string";
    const empty = start === end && /\S/.test(this.#text[start - 1] ?? "");
    this.#splice(start, end, (empty ? " " : "") + (isQuoted ? quoted(value, first) : plain(value, false)));
    return true;
  }

  #insert(map: YAMLMap, keys: readonly string[], value: Value): boolean {
    if (!map.range) return false;
    const first = map.items[0] as Pair | undefined;
    if (map.flow === true || first === undefined) {
      const isJson = first !== undefined && /["']/.test(this.#text[startOf(first)] ?? "");
      const inside = flow(keys, value, isJson);
      const last = map.items.at(-1);
      if (last === undefined) this.#splice(map.range[0], map.range[1], `{${inside}}`);
      else {
        const end = this.#endOf(map, last);
        this.#splice(end, end, `, ${inside}`);
      }
      return true;
    }
    const start = startOf(first);
    const indent = " ".repeat(start - (this.#text.lastIndexOf("\n", start - 1) + 1));
    const lines = keys.map(
      (key, depth) =>
        `${indent}${"  ".repeat(depth)}${key}:${depth === keys.length - 1 ? ` ${plain(value, false)}` : ""}`,
    );
    // Inserts after the last one-line scalar: the end of a nested value is harder to find.
    const short = map.items.findLast((pair) => isScalar(pair.value) && this.#isOneLine(map, pair));
    if (short !== undefined) {
      const at = this.#lineEnd(this.#endOf(map, short));
      this.#splice(at, at, `\n${lines.join("\n")}`);
    } else this.#splice(start, start, `${lines.join("\n").slice(indent.length)}\n${indent}`);
    return true;
  }

  #isOneLine(map: YAMLMap, pair: Pair): boolean {
    return !this.#text.slice(startOf(pair), this.#endOf(map, pair)).includes("\n");
  }

  /** The end of a pair's value, without the white space that follows a block. */
  #endOf(map: YAMLMap, { key, value }: Pair): number {
    const range =
      (isNode(value) ? value.range : undefined) ?? (isNode(key) ? key.range : undefined) ?? map.range!;
    const end = range[1];
    return range[0] + this.#text.slice(range[0], end).trimEnd().length;
  }

  #lineEnd(at: number): number {
    const end = this.#text.indexOf("\n", at);
    return end < 0 ? this.#text.length : end;
  }
}

function startOf({ key }: Pair): number {
  return isNode(key) ? (key.range?.[0] ?? 0) : 0;
}

function flow(keys: readonly string[], value: Value, isJson: boolean): string {
  const [key, ...rest] = keys as [string, ...string[]];
  const name = isJson ? JSON.stringify(key) : key;
  return `${name}: ${rest.length === 0 ? plain(value, isJson) : `{${flow(rest, value, isJson)}}`}`;
}

function quoted(value: string, quote: string): string {
  return quote === '"' ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
}

/** A value in YAML: quoted if the plain form would not be read back as the same string. */
function plain(value: Value, isJson: boolean): string {
  if (typeof value !== "string") return String(value);
  return isJson ||
    !/^[A-Za-z][\w,:;=./-]*$/.test(value) ||
    /:$|^(true|false|yes|no|on|off|null)$/i.test(value)
    ? JSON.stringify(value)
    : value;
}

/** Names of XML elements that have no name in JSON. */
export interface XmlNames {
  readonly root: string;
  /** The name of a list's items, by the name of the list; a function where the items of one list have different names. */
  readonly items?: Readonly<Record<string, string | ((item: object) => string)>>;
}

/** XML with the same content as the JSON, in the form of Ceph's XMLFormatter (src/common/Formatter.cc). */
export function toXml(value: unknown, names: XmlNames, pretty = false): string {
  return `${element(names.root, value, names, pretty ? 0 : undefined)}\n`;
}

/** @param depth level of indentation; undefined for output on one line */
function element(name: string, value: unknown, names: XmlNames, depth: number | undefined): string {
  const tag = name.replaceAll(" ", "_");
  const [indent, end] = depth === undefined ? ["", ""] : [" ".repeat(depth), "\n"];
  if (typeof value !== "object" || value === null) return `${indent}<${tag}>${escaped(value)}</${tag}>${end}`;
  const deeper = depth === undefined ? undefined : depth + 1;
  const children = Array.isArray(value)
    ? value.map((item: unknown) => element(itemName(name, item, names), item, names, deeper))
    : Object.entries(value)
        .filter(([, child]) => child !== undefined)
        .map(([key, child]) => element(key, child, names, deeper));
  return `${indent}<${tag}>${end}${children.join("")}${indent}</${tag}>${end}`;
}

function itemName(list: string, item: unknown, { items }: XmlNames): string {
  const name = items?.[list] ?? "name";
  return typeof name === "string" ? name : name(item as object);
}

function escaped(value: unknown): string {
  return String(value).replaceAll(/[&<>'"]/g, (character) => entities[character]!);
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  '"': "&quot;",
};

/** Names of elements that have none in JSON. */
export interface XmlNames {
  readonly root: string;
  /** Name of each item of a list, by the list's own name; by the item where they differ. */
  readonly items?: Readonly<Record<string, string | ((item: object) => string)>>;
}

/** The same as JSON would say, in the elements that Ceph's programs make of it (src/common/Formatter.cc). */
export function toXml(value: unknown, names: XmlNames, pretty = false): string {
  return `${element(names.root, value, names, pretty ? 0 : undefined)}\n`;
}

/** @param depth undefined where all is on one line */
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

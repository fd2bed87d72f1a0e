/** An option's argument as a tree, from dotted keys or JSON. */
export interface Tree {
  [key: string]: Tree | readonly unknown[] | string | number | boolean | null;
}

/**
 * Parses `a=b,c.d=e,flag`. Commas inside a value are doubled. The first word may be the implied key's value; any other word without `=`
 * is a flag (`on`, or `off` if it begins with `no`). JSON objects are parsed as JSON.
 *
 * @returns undefined for malformed JSON
 */
export function keyValues(text: string, impliedKey?: string): Tree | undefined {
  if (text.startsWith("{")) return parseObject(text);
  const tree: Tree = Object.create(null);
  let first = true;
  for (const part of splitCommas(text)) {
    const equals = part.indexOf("=");
    if (equals >= 0) put(tree, part.slice(0, equals).trim(), part.slice(equals + 1));
    else if (first && impliedKey !== undefined) put(tree, impliedKey, part);
    else if (part !== "") {
      if (part.startsWith("no") && part.length > 2 && part !== "node") put(tree, part.slice(2), "off");
      put(tree, part, "on");
    }
    first = false;
  }
  return tree;
}

/** Splits at single commas; a doubled comma stands for one. */
export function splitCommas(text: string): string[] {
  const parts = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ",") parts[parts.length - 1] += text[at];
    else if (text[at + 1] === ",") {
      parts[parts.length - 1] += ",";
      at++;
    } else parts.push("");
  }
  return parts;
}

export function parseObject(text: string): Tree | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isTree(value) ? unflatten(value) : undefined;
  } catch {
    return undefined;
  }
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string, number or boolean as text; undefined for anything else. */
export function textOf(tree: Tree | undefined, key: string): string | undefined {
  const value = get(tree, key);
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return undefined;
}

/** QEMU's booleans: on, yes, true, 1 and off, no, false, 0; undefined for anything else. */
export function flagOf(tree: Tree | undefined, key: string): boolean | undefined {
  const text = textOf(tree, key)?.toLowerCase();
  if (text === undefined) return undefined;
  if (["on", "true", "yes", "y", "1"].includes(text)) return true;
  if (["off", "false", "no", "n", "0"].includes(text)) return false;
  return undefined;
}

/** The value at a key, which may be dotted. */
export function get(tree: Tree | undefined, key: string): Tree[string] | undefined {
  if (tree === undefined) return undefined;
  if (Object.hasOwn(tree, key)) return tree[key];
  let value: unknown = tree;
  for (const step of key.split(".")) {
    if (!isTree(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value as Tree[string];
}

/** The subtree at a key. */
export function treeOf(tree: Tree | undefined, key: string): Tree | undefined {
  const value = get(tree, key);
  return isTree(value) ? value : undefined;
}

/** A list at a key, from a JSON array or from numeric keys. */
export function listOf(tree: Tree | undefined, key: string): unknown[] | undefined {
  const value = get(tree, key);
  if (Array.isArray(value)) return [...value];
  if (!isTree(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((each) => /^\d+$/.test(each))
    ? keys.sort((a, b) => Number(a) - Number(b)).map((each) => value[each])
    : undefined;
}

function put(tree: Tree, key: string, value: Tree[string]): void {
  const steps = key.split(".");
  let at = tree;
  for (const step of steps.slice(0, -1)) {
    const next = at[step];
    if (isTree(next)) at = next;
    else {
      // `file=x,file.y=z`: QEMU keeps both, with the plain value under the key itself.
      const fresh: Tree = Object.create(null);
      if (typeof next === "string") fresh[""] = next;
      at[step] = fresh;
      at = fresh;
    }
  }
  const last = steps.at(-1)!;
  const known = at[last];
  if (isTree(known) && !isTree(value)) known[""] = value;
  else at[last] = value;
}

/** Expands dotted keys, which JSON may contain as well (`json:{"file.driver":"rbd"}`). */
function unflatten(value: Tree, depth = 0): Tree {
  const tree: Tree = Object.create(null);
  for (const [key, inner] of Object.entries(value))
    put(tree, key, isTree(inner) && depth < 64 ? unflatten(inner, depth + 1) : (inner as Tree[string]));
  return tree;
}

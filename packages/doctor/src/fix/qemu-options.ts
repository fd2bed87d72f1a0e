import { get, isTree, splitCommas, type Tree } from "../inputs/qemu/key-values.ts";

/** Changes to an argument's options, by dotted name; undefined removes one. */
export type Changes = Readonly<Record<string, string | boolean | undefined>>;

/** The argument with changed options, in its own syntax: `a=b,c=d` with commas doubled again, or JSON. */
export function changedArgument(value: string, changes: Changes): string {
  return value.startsWith("{") ? changedJson(value, changes) : changedWords(value, changes);
}

function changedWords(value: string, changes: Changes): string {
  const words = splitCommas(value);
  // The first word of a -device is its driver.
  const implied = changes.driver !== undefined && words[0]?.includes("=") === false;
  const parts = words.filter((part, index) => {
    const key = implied && index === 0 ? "driver" : part.split("=")[0]!;
    return !(Object.hasOwn(changes, key) || (Object.hasOwn(changes, "cache") && key.startsWith("cache.")));
  });
  for (const [key, setting] of Object.entries(changes))
    if (key === "driver" && implied) parts.unshift(String(setting));
    else if (setting !== undefined)
      parts.push(`${key}=${typeof setting === "boolean" ? onOrOff(setting) : setting}`);
  return parts.map((part) => part.replaceAll(",", ",,")).join(",");
}

function onOrOff(flag: boolean): string {
  return flag ? "on" : "off";
}

function changedJson(value: string, changes: Changes): string {
  let whole: unknown;
  try {
    whole = JSON.parse(value);
  } catch {
    return value;
  }
  if (!isTree(whole)) return value;
  for (const [name, setting] of Object.entries(changes)) {
    put(whole, name.split("."), setting);
    // An inline node inherits the options that it does not set.
    for (let inner = whole.file; isTree(inner); inner = inner.file)
      if (get(inner, name) !== undefined) put(inner, name.split("."), setting);
  }
  return JSON.stringify(whole);
}

function put(tree: Tree, [key, ...rest]: readonly string[], value: string | boolean | undefined): void {
  if (key === undefined) return;
  if (rest.length === 0) {
    if (value === undefined) delete tree[key];
    else tree[key] = value;
    return;
  }
  const inner = tree[key];
  if (isTree(inner)) put(inner, rest, value);
  else if (value !== undefined) {
    const fresh: Tree = {};
    put(fresh, rest, value);
    tree[key] = fresh;
  }
}

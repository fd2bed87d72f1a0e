import type { InputFile } from "../input.ts";
import type { Group } from "./group.ts";
import { keyValues, type Tree } from "./key-values.ts";

/** Reads the groups of a `-readconfig` file: `[device "id"]`, then lines `key = "value"`. */
export function readConfig({ name: file, text }: InputFile): [kind: string, group: Group][] {
  const groups: [string, Group][] = [];
  let tree: Tree | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\s*([\w-]+)(?:\s+"([^"]*)")?\s*\]/.exec(line);
    if (header !== null) {
      const [, kind, id] = header as unknown as [string, string, string | undefined];
      tree = keyValues(id === undefined ? "" : `id=${id.replaceAll(",", ",,")}`)!;
      groups.push([
        kind,
        { tree, place: { file, line: index + 1, path: `[${kind}${id === undefined ? "" : ` "${id}"`}]` } },
      ]);
      continue;
    }
    const setting = /^\s*([\w.-]+)\s*=\s*"(.*)"\s*$/.exec(line);
    if (setting === null || tree === undefined) continue;
    const nested = keyValues(`${setting[1]}=${setting[2]!.replaceAll(",", ",,")}`)!;
    Object.assign(tree, nested);
  }
  return groups;
}

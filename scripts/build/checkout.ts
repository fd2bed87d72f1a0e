import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the command is built: `siphon.cjs`, `siphon.pack`. */
export const programDirectory = join(root, "packages/cli/dist");
export const program = join(programDirectory, "siphon.cjs");

/** Whether the built command is newer than all of its sources. */
export function isProgramFresh(): boolean {
  const built = statSync(join(programDirectory, "siphon.pack"), { throwIfNoEntry: false });
  if (built === undefined) return false;
  const sources = ["packages/*/src/**", "packages/*/package.json", "scripts/build/*", "package-lock.json"];
  return globSync(sources, { cwd: root }).every((path) => {
    const file = statSync(join(root, path), { throwIfNoEntry: false });
    return file === undefined || file.mtimeMs < built.mtimeMs;
  });
}

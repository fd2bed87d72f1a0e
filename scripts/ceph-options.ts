import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/**
 * Makes the list of all settings that Ceph knows, by its own files: scripts/ceph-options.ts CEPH-SOURCE... with the sources of
 * one release or several. Settings that a later release dropped stay known: scripts name them.
 */
const target = fileURLToPath(new URL("../packages/rados/src/config/ceph-options.ts", import.meta.url));
const sources = process.argv.slice(2);
if (sources.length === 0) throw new Error("usage: scripts/ceph-options.ts CEPH-SOURCE...");

const types = new Map<string, string>();
for (const source of sources) {
  const directory = join(source, "src/common/options");
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".yaml.in"))) {
    const text = readFileSync(join(directory, file), "utf8").replaceAll(/@\w+@/g, "0");
    const { options } = parse(text) as { options: { name: string; type: string }[] };
    for (const { name, type } of options) types.set(name, type);
  }
  // Levels of the log are settings by the names of its parts (src/common/subsys.h).
  const parts = readFileSync(join(source, "src/common/subsys.h"), "utf8").matchAll(/^SUBSYS\((\w+),/gm);
  for (const [, part] of parts) types.set(part === "" ? "debug" : `debug_${part}`, "str");
}

const lines = [...types]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, type]) => (type === "bool" ? `${name}?` : name));
const releases = sources.map((source) => /\d+\.\d+\.\d+/.exec(source)?.[0] ?? source).join(", ");
writeFileSync(
  target,
  `/**
 * All settings that Ceph knows (src/common/options/*.yaml.in and subsys.h of ${releases}), made by scripts/ceph-options.ts; those
 * that are true or false have a question mark.
 */
const table = \`
${lines.join("\n")}
\`;

/** Whether each setting is a flag, by its name with underscores. */
export const cephOptions: ReadonlyMap<string, boolean> = new Map(
  table
    .trim()
    .split("\\n")
    .map((line) => (line.endsWith("?") ? [line.slice(0, -1), true] : [line, false])),
);
`,
);
execFileSync("biome", ["check", "--write", target], { stdio: "inherit" });
console.log(`${types.size} settings in ${target}`);

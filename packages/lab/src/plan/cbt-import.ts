import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { LabError } from "../errors.ts";
import { benchmarkNames, importBenchmark, type Plan } from "./cbt-benchmark.ts";
import { type InventoryDraft, importCluster } from "./cbt-cluster.ts";
import { CbtFile, type LeftOut, mapping, values } from "./cbt-file.ts";

/** A test plan of CBT in siphon's terms. */
export interface CbtImport {
  plans: Plan[];
  /** For `siphon cluster deploy --hosts`; undefined if the plan uses an existing cluster. */
  inventory?: InventoryDraft;
  /** All ignored or changed parts, in file order. */
  leftOut: LeftOut[];
}

/** A written import: the files and their commands. */
export interface WrittenImport {
  files: { path: string; usage: string }[];
  leftOut: LeftOut[];
}

/** Translates a test plan; throws SIPHON_NOT_FOUND, or SIPHON_USAGE if it is invalid or nothing in it can be run. */
export async function importCbt(path: string): Promise<CbtImport> {
  return translate(await CbtFile.read(path));
}

export function translate(file: CbtFile): CbtImport {
  const { cluster, benchmarks } = file.content;
  if (cluster === undefined || benchmarks === undefined) {
    throw new LabError(
      "SIPHON_USAGE",
      `${file.path} is no test plan of CBT: it has no cluster or no benchmarks`,
    );
  }
  for (const key of Object.keys(file.content)) {
    if (key !== "cluster" && key !== "benchmarks") file.leave([key], "it has no counterpart in siphon");
  }
  for (const name of Object.keys(mapping(benchmarks))) {
    if (!(benchmarkNames as readonly string[]).includes(name)) {
      file.leave(["benchmarks", name], `siphon has ${benchmarkNames.join(", ")} only`);
    }
  }
  const names = benchmarkNames.filter((name) => name in mapping(benchmarks));
  const profile = common(file, names, "pool_profile");
  const { target, inventory } = importCluster(file, profile, common(file, names, "poolname"));
  const plans = names.flatMap((name) => importBenchmark(file, name, target));
  if (plans.length === 0) {
    throw new LabError("SIPHON_USAGE", `nothing in ${file.path} can be run by siphon`, {
      hint: `of CBT's benchmarks, ${benchmarkNames.join(", ")} have a counterpart`,
    });
  }
  const leftOut = file.leftOut.toSorted((one, other) => one.line - other.line);
  return { plans, ...(inventory ? { inventory } : {}), leftOut };
}

/**
 * Writes plans and inventory as YAML: `siphon.yaml` and `siphon-inventory.yaml`, or `siphon-NAME.yaml` for each of
 * several plans.
 *
 * @throws LabError SIPHON_REFUSED if a file exists
 */
export async function writeImport(
  { plans, inventory, leftOut }: CbtImport,
  out: string,
): Promise<WrittenImport> {
  const stem = out.replace(/\.ya?ml$/, "");
  const inventoryFile = {
    path: `${stem}-inventory.yaml`,
    content: inventory,
    usage: "siphon cluster deploy --hosts",
  };
  const taken = new Map<string, number>();
  const planFiles = plans.map(({ name, command, options }) => {
    const before = taken.get(name) ?? 0;
    taken.set(name, before + 1);
    const unique = before === 0 ? name : `${name}-${before + 1}`;
    const path = plans.length === 1 ? out : `${stem}-${unique}.yaml`;
    return { path, content: options, usage: `siphon ${command} --plan` };
  });
  const all = inventory ? [inventoryFile, ...planFiles] : planFiles;
  const there = all.find(({ path }) => existsSync(path));
  if (there) {
    throw new LabError("SIPHON_REFUSED", `${there.path} is there already`, {
      hint: "name another file with --out",
    });
  }
  const files = [];
  for (const { path, content, usage } of all) {
    const line = `${usage} ${path}`;
    await writeFile(path, `# ${line}\n${stringify(content, { aliasDuplicateObjects: false })}`);
    files.push({ path, usage: line });
  }
  return { files, leftOut };
}

/** Options that the benchmarks share; if they differ, the first one's is used and the others are ignored. */
function common(file: CbtFile, names: readonly string[], option: string): string | undefined {
  const given = names.flatMap((name) =>
    values(mapping(mapping(file.content.benchmarks)[name])[option]).map((value) => ({
      name,
      value: String(value),
    })),
  );
  for (const { name, value } of given) {
    if (value !== given[0].value) file.leave(["benchmarks", name, option], `one for all: ${given[0].value}`);
  }
  return given[0]?.value;
}

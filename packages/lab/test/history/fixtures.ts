import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeResults } from "../../src/results/file.ts";
import type { Results } from "../../src/results/schema.ts";
import { slowed } from "../compare/fixtures.ts";
import { exampleResults } from "../fixtures/results.ts";

/** A run of the example's plan, made on some day of March, with one rung at `factor` times its speed. */
export function runOn(day: number, factor = 1): Results {
  const of = (text: string) => text.replace(/^\d{4}-\d\d-\d\d/, `2026-03-${String(day).padStart(2, "0")}`);
  const results = slowed(exampleResults({ seed: day }), "cache-none", factor);
  return { ...results, started: of(results.started), finished: of(results.finished) };
}

/** A directory with runs by their names, a broken one, and `latest`. */
export async function writeRuns(root: string, runs: Record<string, Results>): Promise<void> {
  for (const [name, results] of Object.entries(runs)) await writeResults(join(root, name), results);
  await mkdir(join(root, "broken"), { recursive: true });
  await writeFile(join(root, "broken", "results.json"), "{");
  await symlink(Object.keys(runs).at(-1)!, join(root, "latest"));
}

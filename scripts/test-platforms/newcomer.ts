import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { quickOptions } from "../../packages/lab/src/ladder/options.ts";
import { readResults } from "../../packages/lab/src/results/file.ts";
import type { Machine } from "./machine.ts";
import type { PartOptions } from "./part.ts";

/** Where the checkout is in a machine. */
export const checkout = "/root/siphon";

/** The clone of the checkout. */
export const cloning = `git clone --quiet /mnt ${checkout}`;

/** The clone, and the README's first command as it stands there. */
const commands = `${cloning} && cd ${checkout} && npm run ladder -- --quick`;

/**
 * On a bare machine the README's first command works at the first call, and leaves a complete report and nothing else.
 * Returns the findings.
 */
export async function newcomersRun(machine: Machine, { log, signal }: PartOptions): Promise<string> {
  assert.equal(await machine.run(commands, { log, signal }), 0, "npm run ladder -- --quick failed");
  const runs = machine.file(`${checkout}/runs`);
  const [directory] = readdirSync(runs).filter((name) => name !== "latest");
  const { rungs, complete } = await readResults(join(runs, directory));
  assert.ok(complete, "the results are not complete");
  const measured = rungs.filter(({ status }) => status === "measured");
  assert.deepEqual(
    measured.map(({ name }) => name),
    quickOptions().rungs,
    "rungs of the short ladder",
  );
  for (const file of ["report.html", "report.md", "ladder.svg"]) {
    const path = join(runs, directory, file);
    assert.ok(existsSync(path) && statSync(path).size > 0, `there is no ${file}`);
  }
  const page = readFileSync(join(runs, directory, "report.html"), "utf8");
  for (const { title } of measured) assert.ok(page.includes(title), `the report lacks ${title}`);
  await leftNothing(machine);
  return `${measured.length} rungs, a report, nothing left running`;
}

/** Siphon's own word for it, and the machine's. */
async function leftNothing(machine: Machine): Promise<void> {
  assert.deepEqual(await machine.running(), [], "programs were left running");
  const state = machine.file("/root/.local/state/siphon");
  const left = existsSync(state)
    ? readdirSync(state).flatMap((kind) => readdirSync(join(state, kind)).map((name) => `${kind}/${name}`))
    : [];
  assert.deepEqual(left, [], "resources were left behind");
}

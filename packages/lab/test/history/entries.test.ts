import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { findRun, findRuns } from "../../src/history/entries.ts";
import { removeRun } from "../../src/history/remove.ts";
import { makeRunDirectory } from "../../src/results/directory.ts";
import { writeResults } from "../../src/results/file.ts";
import { exampleResults } from "../fixtures/results.ts";
import { runOn, writeRuns } from "./fixtures.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-runs-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const isCode = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

test("runs are listed in the order in which they were made, wherever they lie; a broken one says why; links are no runs", async () => {
  const root = join(dir, "list");
  await writeRuns(root, { "before/two": runOn(2), one: runOn(1), three: { ...runOn(3), complete: false } });
  const entries = await findRuns(root);
  assert.deepEqual(
    entries.map(({ name, state }) => [name, state]),
    [
      ["broken", "broken"],
      ["one", "complete"],
      ["before/two", "complete"],
      ["three", "cut short"],
    ],
  );
  assert.match(entries[0]!.why!, /not JSON/);
  assert.equal((await findRun(root, "latest")).name, "three");
  assert.deepEqual(await findRuns(join(dir, "nowhere")), []);
  await assert.rejects(findRun(root, "four"), isCode("SIPHON_NOT_FOUND"));
});

test("the plan of runs is the load, the cluster, the accelerator and the size of the VM, and neither versions nor how long was measured", async () => {
  const root = join(dir, "plans");
  const base = runOn(1);
  const { workload, facts } = base;
  const guest = (name: string, value: string) => ({
    ...facts,
    guest: [...facts.guest.filter((fact) => fact.name !== name), { name, value }],
  });
  await writeRuns(root, {
    base,
    longer: { ...runOn(2), siphon: "9.9.9", workload: { ...workload, seconds: 60, repeats: 9 } },
    deeper: { ...runOn(3), workload: { ...workload, ioDepth: 1 } },
    kvm: { ...runOn(4), accelerator: { name: "kvm", reason: "it boots a guest" } },
    wider: { ...runOn(5), facts: guest("vCPUs", "4") },
    larger: { ...runOn(6), facts: guest("memory", "1 GiB") },
    patched: { ...runOn(7), facts: guest("kernel", "another") },
  });
  const ids = new Map((await findRuns(root)).map(({ name, plan }) => [name, plan?.id]));
  assert.equal(ids.get("longer"), ids.get("base"));
  assert.equal(ids.get("patched"), ids.get("base"));
  const others = ["base", "deeper", "kvm", "wider", "larger"];
  assert.equal(new Set(others.map((name) => ids.get(name))).size, others.length);
});

test("a run is being made as long as its process is there, and cannot be removed until then", async () => {
  const root = join(dir, "going");
  const directory = await makeRunDirectory(root);
  const [empty] = await findRuns(root);
  assert.equal(empty!.state, "running");
  await writeResults(directory, exampleResults({ complete: false }));
  const [going] = await findRuns(root);
  assert.equal(going!.state, "running");
  await assert.rejects(removeRun(going!), isCode("SIPHON_USAGE"));
  // Another process had that pid.
  await writeFile(join(directory, ".process.json"), JSON.stringify({ pid: process.pid, startTime: 1 }));
  const [ended] = await findRuns(root);
  assert.equal(ended!.state, "cut short");
  await removeRun(ended!);
  assert.deepEqual(await findRuns(root), []);
});

test("when the latest run is removed, latest names the one before it in its directory", async () => {
  const root = join(dir, "remove");
  await writeRuns(root, { one: runOn(1), two: runOn(2), three: runOn(3) });
  await mkdir(join(root, "three", "fio"));
  await removeRun(await findRun(root, "three"));
  assert.equal(await readlink(join(root, "latest")), "two");
  await removeRun(await findRun(root, "one"));
  assert.equal(await readlink(join(root, "latest")), "two");
  await removeRun(await findRun(root, "two"));
  await assert.rejects(readlink(join(root, "latest")));
  assert.deepEqual(
    (await findRuns(root)).map(({ name }) => name),
    ["broken"],
  );
});

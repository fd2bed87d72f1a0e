import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readDensityResults } from "../../src/density/file.ts";
import { parseDensityOptions } from "../../src/density/options.ts";
import { runDensity } from "../../src/density/run-density.ts";
import { commandLineOf, pidsWithEnvironment } from "../../src/host/proc.ts";
import { RESOURCE_VARIABLE } from "../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-density-"));
const state = join(dir, "state");
process.env.SIPHON_STATE_DIR = state;
after(() => rmSync(dir, { recursive: true, force: true }));

/** Processes that serve images for this one. */
function servers(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").split(" ");
  const calls = children.filter(Boolean).map((pid) => commandLineOf(Number(pid)));
  return calls.filter((call) => call?.includes("serve-image")).length;
}

test("two VMs with librbd and two of one siphon process: under load together, measured, nothing left running", async () => {
  const most = { servers: 0 };
  const options = parseDensityOptions({
    ...{ vms: [2], ways: ["librbd", "siphon-one"], repeat: 1, seconds: 1, warmup: 0, size: "64M", seed: 1 },
  });
  const { results, directory, failure } = await runDensity(options, {
    out: join(dir, "runs"),
    signal: new AbortController().signal,
    step: (_title, work) =>
      work((text) => {
        if (text.endsWith("under load")) most.servers = Math.max(most.servers, servers());
      }),
  });
  assert.equal(failure, undefined);
  assert.equal(most.servers, 1, "one process serves both");
  assert.deepEqual(
    results.cells.map(({ name, status }) => [name, status]),
    [
      ["librbd-2", "measured"],
      ["siphon-one-2", "measured"],
    ],
  );
  for (const cell of results.cells) {
    assert.ok(cell.status === "measured");
    const [run] = cell.runs;
    const { iops, latencyP99, clientCpuPerIo, osdCpuPerIo, threads } = cell.summary;
    assert.ok(iops.median > 0 && latencyP99.median > 0);
    assert.ok(clientCpuPerIo.median > 0 && osdCpuPerIo!.median > 0);
    assert.ok(Object.keys(threads).includes(cell.way === "librbd" ? "msgr-worker-0" : "MainThread"));
    assert.ok(run!.memory > 64 * 2 ** 20 && run!.memory < 2 ** 30, `${run!.memory}`);
    // Both of the VMs did something in each slice.
    assert.ok(run!.slowest > 0 && existsSync(join(directory, run!.fio)));
  }
  assert.deepEqual(await readDensityResults(directory), JSON.parse(JSON.stringify(results)));
  assert.ok(existsSync(join(directory, "report.html")) && existsSync(join(directory, "density-memory.svg")));
  assert.deepEqual(
    pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`)),
    [],
    "no process is left",
  );
  assert.equal(servers(), 0);
  for (const kind of ["clusters", "vms", "images", "work"]) {
    assert.deepEqual(existsSync(join(state, kind)) ? readdirSync(join(state, kind)) : [], [], kind);
  }
});

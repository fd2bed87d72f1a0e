import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readBaselineResults } from "../../src/baseline/file.ts";
import { type BaselineOptionsInput, parseBaselineOptions } from "../../src/baseline/options.ts";
import { type BaselineOutcome, runBaseline } from "../../src/baseline/run-baseline.ts";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { pidsWithEnvironment } from "../../src/host/proc.ts";
import { RESOURCE_VARIABLE } from "../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-baseline-"));
const state = join(dir, "state");
process.env.SIPHON_STATE_DIR = state;
after(() => rmSync(dir, { recursive: true, force: true }));

const small = {
  ...{ osds: [1], repeat: 1, seconds: 1, warmup: 1, size: "64M", seed: 1 },
} satisfies BaselineOptionsInput;

/** Runs a baseline; `on` is told each report of a step. */
async function baseline(
  input: BaselineOptionsInput,
  { on = (_text: string) => {}, signal = new AbortController().signal } = {},
): Promise<BaselineOutcome> {
  const out = join(dir, "runs");
  return runBaseline(parseBaselineOptions({ ...small, ...input }), {
    ...{ out, signal },
    step: (_title, work) => work(on),
  });
}

function assertNothingLeft(): void {
  const running = pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`));
  assert.deepEqual(running, [], "no process is left");
  for (const kind of ["clusters", "vms", "images", "networks", "work"]) {
    const left = existsSync(join(state, kind)) ? readdirSync(join(state, kind)) : [];
    assert.deepEqual(left, [], `no ${kind} are left`);
  }
}

test("librbd and siphon on the host, and kernel RBD in a guest, in crc and secure mode, as the OSDs confirm", async () => {
  const { results, directory, failure } = await baseline({ wire: ["v2-crc", "v2-secure"] });
  assert.equal(failure, undefined);
  assert.deepEqual(
    results.cells.map((cell) => [cell.name, cell.status, cell.status === "measured" && cell.mode]),
    [
      ["1-osd-v2-crc-librbd", "measured", "crc"],
      ["1-osd-v2-crc-krbd", "measured", "crc"],
      ["1-osd-v2-crc-siphon", "measured", "crc"],
      ["1-osd-v2-secure-librbd", "measured", "secure"],
      ["1-osd-v2-secure-krbd", "measured", "secure"],
      ["1-osd-v2-secure-siphon", "measured", "secure"],
    ],
  );
  for (const cell of results.cells) {
    assert.ok(cell.status === "measured");
    assert.ok(cell.summary.iops.median > 0 && existsSync(join(directory, cell.runs[0].fio)));
    const threads = Object.keys(cell.summary.threads).join();
    const known = { librbd: /msgr-worker/, krbd: /CPU 0/, siphon: /V8Worker|node|MainThread/ };
    assert.match(threads, known[cell.engine as keyof typeof known]);
  }
  const written = readFileSync(join(directory, "results.json"), "utf8");
  assert.doesNotMatch(written, /secret|key =/);
  assert.deepEqual(await readBaselineResults(directory), JSON.parse(JSON.stringify(results)));
  assert.match(readFileSync(join(directory, "report.html"), "utf8"), /The cost of encryption/);
  assertNothingLeft();
});

test("messenger v1 without authentication has no modes; an OSD that is killed ends the run, and its results stay", async () => {
  const { results, directory, failure } = await baseline(
    { wire: ["v1-none"], engines: ["librbd"], repeat: 2, depths: [4], mix: ["70/30"] },
    {
      on: (text) => {
        if (!text.startsWith("run 2 of 2")) return;
        void LocalCluster.list().then(([cluster]) => process.kill(cluster.osdPids[0], "SIGKILL"));
      },
    },
  );
  assert.ok(failure instanceof LabError, String(failure));
  assert.match(failure.message, /osd\.0/);
  const [cell] = results.cells;
  assert.ok(cell.status === "measured" && cell.runs.length === 1 && cell.mode === undefined);
  const [curve] = cell.curves!;
  assert.deepEqual([curve!.mix, curve!.points.map(({ depth }) => depth)], ["70/30", [4]]);
  assert.ok(curve!.points[0]!.iops.median > 0 && curve!.points[0]!.clientCpuPerIo.median > 0);
  assert.equal(results.complete, false);
  assert.ok(existsSync(join(directory, "report.html")));
  assertNothingLeft();
});

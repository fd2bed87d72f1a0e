import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { measureBlock } from "../../src/ladder/block.ts";
import type { BlockHooks } from "../../src/ladder/block-plan.ts";
import type { StoodVm } from "../../src/ladder/standing-vm.ts";
import { type CurveLoad, curveLoads } from "../../src/load/curve-options.ts";
import type { Run } from "../../src/results/schema.ts";
import type { PlannedClimb } from "../../src/rungs/plan.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-block-"));
mkdirSync(join(directory, "fio"));
after(() => rmSync(directory, { recursive: true, force: true }));

const names = ["left", "middle", "right"] as const;
type Name = (typeof names)[number];
const rungs = names.map((name) => ({ rung: { name: name as string } }) as PlannedClimb);

const hangs = new LabError("SIPHON_GUEST", "the guest hangs", { retryable: true });
const gone = new LabError("SIPHON_VM", "QEMU ended (signal SIGKILL)");

/** A call of a rung's VM, and how many of its kind that VM had. A busy machine has slices measured twice. */
interface Call {
  kind: "resume" | "pause" | "load" | "end";
  name: Name;
  boot: number;
  nth: number;
  /** Of a load. */
  depth?: number;
}

/** Measures a block; calls of VMs fail with what `fails` gives for them. */
async function block(fails: (call: Call) => Error | undefined, points: CurveLoad[] = []) {
  const boots = { left: 0, middle: 0, right: 0 };
  const running = new Set<string>();
  const done = new Map<string, Parameters<BlockHooks["done"]>[1]>();
  const failed: [string, unknown][] = [];
  const stand = async ({ rung }: PlannedClimb): Promise<StoodVm> => {
    const name = rung.name as Name;
    assert.ok(!running.has(name), "the VM before is gone");
    running.add(name);
    const boot = ++boots[name];
    const calls = { resume: 0, pause: 0, load: 0, end: 0 };
    let ios = 0;
    const called = async (kind: Call["kind"], depth?: number) => {
      const error = fails({ kind, name, boot, nth: ++calls[kind], depth });
      if (error) throw error;
    };
    const latency = { mean: boot, p50: 1, p95: 1, p99: 1, p999: 1 };
    return {
      vm: { pids: [process.pid] },
      resume: () => called("resume"),
      pause: () => called("pause"),
      load: ({ ioDepth }) => called("load", ioDepth),
      // The I/Os of a slice tell which boot it was.
      iosDone: async () => (ios += boot),
      end: async () => {
        await called("end");
        return { output: "{}", figures: { ios: 1, iops: 1, bytesPerSecond: 1, seconds: 1, latency } };
      },
      [Symbol.asyncDispose]: async () => void running.delete(name),
    };
  };
  await measureBlock(
    rungs,
    { block: 0, rounds: 2, times: { seconds: 0.01, settle: 0 }, points, directory },
    {
      stand,
      bootsAlone: ({ rung }) => rung.name === "right",
      failed: ({ rung }, error) => failed.push([rung.name, error]),
      done: ({ rung }, run) => done.set(rung.name, run),
      report: () => {},
      osdPids: () => [],
      signal: new AbortController().signal,
    },
  );
  assert.equal(running.size, 0, "no VM is left");
  return { done, failed, boots };
}

/** The boots that the slices of a run are of. */
const bootsIn = ({ slices }: Pick<Run, "slices">) => [...new Set(slices!.ios)];

function assertAllPlaces({ slices }: Pick<Run, "slices">): void {
  const places = new Set(slices!.round.map((round, at) => `${round} ${slices!.way[at]}`));
  assert.deepEqual([...places].toSorted(), ["0 0", "0 1", "1 0", "1 1"]);
}

test("a VM that hangs between slices is booted again, and its slices are measured again; the others stand", async () => {
  const { done, failed, boots } = await block(({ kind, name, boot, nth }) =>
    kind === "resume" && name === "middle" && boot === 1 && nth === 3 ? hangs : undefined,
  );
  assert.deepEqual([failed, boots], [[], { left: 1, middle: 2, right: 1 }]);
  for (const name of names) {
    const [run, boot] = [done.get(name)!, boots[name]];
    assertAllPlaces(run);
    assert.deepEqual(bootsIn(run), [boot], name);
    assert.equal(run.latency.mean, boot, "fio's figures are of that boot");
    assert.equal(run.bootedAgain, boot === 2 ? "the guest hangs" : undefined);
  }
});

test("VMs that hang when their loads end are measured again", async () => {
  const { done, failed, boots } = await block(({ kind, name, boot }) =>
    kind === "end" && name !== "left" && boot === 1 ? hangs : undefined,
  );
  assert.deepEqual([failed, boots], [[], { left: 1, middle: 2, right: 2 }]);
  for (const name of names) {
    assertAllPlaces(done.get(name)!);
    assert.deepEqual(bootsIn(done.get(name)!), [boots[name]], name);
    assert.equal(done.get(name)!.latency.mean, boots[name]);
  }
});

test("a VM that hangs at a point of a curve keeps its run; the point is measured again", async () => {
  const points = curveLoads({ depths: [1, 4], mix: undefined, rw: "randread" });
  const { done, failed, boots } = await block(
    ({ name, boot, depth }) => (name === "left" && boot === 1 && depth === 4 ? hangs : undefined),
    points,
  );
  assert.deepEqual([failed, boots], [[], { left: 2, middle: 1, right: 1 }]);
  const run = done.get("left")!;
  assert.deepEqual([run.latency.mean, run.bootedAgain], [1, "the guest hangs"]);
  const latest = new Map(run.points!.map(({ depth, latency }) => [depth, latency.mean]));
  assert.deepEqual(
    [...latest],
    [
      [1, 1],
      [4, 2],
    ],
  );
});

test("a VM that hangs when its load has ended keeps what its fio said", async () => {
  let ended = false;
  const { done, failed, boots } = await block(
    ({ kind, name, boot }) => {
      if (name !== "left" || boot === 2) return undefined;
      ended ||= kind === "end";
      return ended && kind === "pause" ? hangs : undefined;
    },
    curveLoads({ depths: [1], mix: undefined, rw: "randread" }),
  );
  assert.deepEqual([failed, boots], [[], { left: 2, middle: 1, right: 1 }]);
  const run = done.get("left")!;
  assert.deepEqual([run.latency.mean, bootsIn(run), run.points?.length], [1, [1], 1]);
});

test("a rung whose VM hangs again, or is gone, is told; a run that was complete before is kept", async () => {
  const { done, failed, boots } = await block(
    ({ kind, name, nth }) => {
      if (name === "left") return kind === "resume" && nth === 2 ? hangs : undefined;
      if (name === "middle") return kind === "resume" && nth === 2 ? gone : undefined;
      return kind === "load" ? hangs : undefined;
    },
    curveLoads({ depths: [1], mix: undefined, rw: "randread" }),
  );
  assert.deepEqual(failed, [
    ["left", hangs],
    ["middle", gone],
    ["right", hangs],
  ]);
  assert.deepEqual(boots, { left: 2, middle: 1, right: 2 });
  assert.deepEqual([...done.keys()], ["right"]);
  assert.equal(done.get("right")!.points, undefined);
});

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { LocalCluster } from "../../src/cluster/local-cluster.ts";
import { LabError } from "../../src/errors.ts";
import { commandLineOf, pidsWithEnvironment } from "../../src/host/proc.ts";
import { type LadderOptionsInput, parseLadderOptions } from "../../src/ladder/options.ts";
import { type LadderOutcome, runLadder } from "../../src/ladder/run-ladder.ts";
import { LiveRun } from "../../src/live-page/live-run.ts";
import { LiveServer } from "../../src/live-page/server.ts";
import { readResults } from "../../src/results/file.ts";
import { RESOURCE_VARIABLE, Resource } from "../../src/state/resource.ts";
import type { StepRunner } from "../../src/step.ts";
import { launchChromium, noChromium } from "../support/chromium.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-ladder-"));
process.env.SIPHON_STATE_DIR = join(dir, "state");
after(() => rmSync(dir, { recursive: true, force: true }));

const small = {
  repeat: 1,
  seconds: 1,
  slice: 0.25,
  warmup: 0,
  size: "256M",
  seed: 1,
  bigger: false,
} satisfies LadderOptionsInput;

interface Looks {
  on?: (text: string) => void;
  signal?: AbortSignal;
  live?: LiveRun;
}

/** Runs a ladder; `on` is told each report of a step. */
async function ladder(
  input: LadderOptionsInput,
  { on = (_text: string) => {}, signal = new AbortController().signal, live }: Looks = {},
): Promise<LadderOutcome> {
  const step: StepRunner = (_title, work) => work(on);
  return runLadder(parseLadderOptions({ ...small, ...input }), {
    ...{ out: join(dir, "runs"), step, signal },
    ...(live && { live }),
  });
}

function assertNothingLeft(): void {
  const state = process.env.SIPHON_STATE_DIR!;
  const running = pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value.startsWith(`${state}/`));
  assert.deepEqual(running, [], "no process is left");
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").split(" ");
  const calls = children.filter(Boolean).map((pid) => commandLineOf(pid));
  assert.ok(!calls.some((call) => call?.includes("serve-image")), "no server of an image is left");
  for (const kind of ["clusters", "vms", "images", "work"]) {
    const left = existsSync(join(state, kind)) ? readdirSync(join(state, kind)) : [];
    assert.deepEqual(left, [], `no ${kind} are left`);
  }
}

/** The pid of the one QEMU whose command line is so. */
async function qemuPid(matches: (commandLine: string) => boolean): Promise<number> {
  const vms = await Resource.list("vms");
  const all = vms.flatMap(({ dir }) => pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value === dir));
  const [pid, ...others] = all.filter((each) => matches(commandLineOf(each) ?? ""));
  assert.ok(pid !== undefined && others.length === 0, `of ${all.length} QEMUs`);
  return pid;
}

test("rungs of librbd and of siphon, and the bigger test: measured, reported, and nothing left running", async () => {
  const { results, directory, failure } = await ladder({
    rungs: ["ide", "cache-none", "new-librbd", "siphon-vhost"],
    repeat: 2,
    size: "512M",
    bigger: true,
    depths: [1, 32],
    mix: ["70/30"],
  });
  assert.equal(failure, undefined);
  assert.deepEqual(
    results.rungs.map(({ name, status }) => [name, status]),
    [
      ["ide", "measured"],
      ["cache-none", "measured"],
      ["new-librbd", "skipped"],
      ["siphon-vhost", "measured"],
    ],
  );
  for (const rung of results.rungs) {
    if (rung.status !== "measured") continue;
    assert.equal(rung.runs.length, 2);
    const { iops, latencyP99, clientCpuPerIo, osdCpuPerIo, threads } = rung.summary;
    assert.ok(iops.median > 0 && iops.low <= iops.median && iops.median <= iops.high);
    assert.ok(latencyP99.median > 0 && clientCpuPerIo.median > 0 && osdCpuPerIo!.median > 0);
    const client = rung.name === "siphon-vhost" ? "MainThread" : "msgr-worker-0";
    assert.ok(Object.keys(threads).includes(client), Object.keys(threads).join());
    assert.match(rung.command, /qemu-system-x86_64/);
    assert.deepEqual(
      rung.curves?.map(({ mix, points }) => [mix, ...points.map(({ depth }) => depth)]),
      [["70/30", 1, 32]],
    );
    for (const run of rung.runs) {
      for (const { depth, iops, latency, cpu, osds } of run.points!) {
        assert.ok(cpu > 0 && osds! > 0, `${rung.name} at depth ${depth}`);
        // Little's law: what was counted outside and the latency that fio saw are of one load. Some of an I/O's time is before its submission.
        const inFlight = (iops * latency.mean) / 1e6;
        assert.ok(inFlight > depth / 8 && inFlight < depth * 4, `${rung.name}: ${inFlight} of ${depth}`);
      }
      assert.ok(existsSync(join(directory, run.fio)));
      // Two rounds, there and back; some slices more if the machine is busy.
      assert.equal(new Set(run.slices!.round.map((round, at) => `${round} ${run.slices!.way[at]}`)).size, 4);
      assert.ok(run.slices!.ios.every((ios) => ios > 0));
      // QEMU and the server count what fio, which says it of all the time under load, does.
      const fio = JSON.parse(readFileSync(join(directory, run.fio), "utf8").replace(/^[^{]*/, "")).jobs[0];
      assert.ok(
        run.iops > fio.read.iops / 2 && run.iops < fio.read.iops * 2,
        `${run.iops}, ${fio.read.iops}`,
      );
    }
  }
  const [ide, cacheNone] = results.rungs;
  assert.ok(cacheNone.status === "measured" && cacheNone.comparison?.against === ide.name);
  assert.deepEqual(
    results.bigger?.steps.map(({ rung = results.bigger?.rung, name, run }) => [rung, name, run.iops > 0]),
    ["cache-none", "siphon-vhost"].flatMap((rung) =>
      ["fill", "randread", "randwrite"].map((name) => [rung, name, true]),
    ),
  );
  assert.equal(new Set(results.bigger?.steps.map(({ run }) => run.fio)).size, 6, "each has fio's own output");
  assert.deepEqual(await readResults(directory), JSON.parse(JSON.stringify(results)));
  for (const file of ["report.html", "report.md"]) assert.ok(existsSync(join(directory, file)), file);
  assert.equal(join(dir, "runs", readlinkSync(join(dir, "runs/latest"))), directory);
  assertNothingLeft();
});

test("rungs beside the ladder: another controller, and an image of their own, encrypted", async () => {
  const { results, failure } = await ladder({ rungs: ["nvme", "luks-qemu"] });
  assert.equal(failure, undefined);
  assert.deepEqual(
    results.rungs.map((rung) => [rung.name, rung.status === "measured" && rung.comparison?.against]),
    [
      ["librados-threads", undefined],
      ["nvme", "librados-threads"],
      ["luks-librbd", "librados-threads"],
      ["luks-qemu", "luks-librbd"],
    ],
  );
  for (const rung of results.rungs) assert.ok(rung.status === "measured" && rung.summary.iops.median > 0);
  assertNothingLeft();
});

test("a rung beside itself is no better and no worse, also where both write and the image's lock goes to and fro", async () => {
  const { results, failure } = await ladder({
    rungs: ["siphon-nbd"],
    twice: true,
    rw: "randwrite",
    repeat: 4,
  });
  assert.equal(failure, undefined);
  const [, again] = results.rungs;
  assert.ok(again.status === "measured" && again.comparison?.against === "siphon-nbd");
  for (const { low, high } of [again.comparison.ratio, again.comparison.costs!.cpuPerIo!.ratio]) {
    // Chance alone takes it out of its 95 % interval in 1 of 20 runs, and as good as never so far beyond.
    const [middle, reach] = [Math.log(high * low) / 2, Math.log(high / low) / 2];
    assert.ok(Math.abs(middle) < 4 * reach, `${low} to ${high}`);
  }
  assertNothingLeft();
});

test("a QEMU that is killed mid-run fails its rung in one sentence; the others are measured", async () => {
  let killed = false;
  const { results, failure } = await ladder(
    { rungs: ["virtio-blk", "cache-none"] },
    {
      on: (text) => {
        if (killed || !text.includes("round 1 of")) return;
        killed = true;
        void qemuPid((line) => !line.includes("iothread")).then((pid) => process.kill(pid, "SIGKILL"));
      },
    },
  );
  assert.ok(failure instanceof LabError);
  assert.match(failure.message, /rung virtio-blk failed: .*SIGKILL/);
  assert.deepEqual(
    results.rungs.map(({ status }) => status),
    ["failed", "measured"],
  );
  assertNothingLeft();
});

test("an OSD killed mid-run ends the run; finished measurements are kept", async () => {
  const { results, failure, directory } = await ladder(
    { rungs: ["virtio-blk", "cache-none"], repeat: 2 },
    {
      on: (text) => {
        if (!text.startsWith("block 2 of 2: round 1 of")) return;
        void LocalCluster.list().then(([cluster]) => process.kill(cluster.osdPids[0], "SIGKILL"));
      },
    },
  );
  assert.ok(failure instanceof LabError, String(failure));
  assert.match(failure.message, /osd\.0/);
  assert.equal(results.complete, false);
  for (const rung of results.rungs) assert.ok(rung.status === "measured" && rung.runs.length === 1);
  assert.deepEqual((await readResults(directory)).notes, results.notes);
  assert.ok(existsSync(join(directory, "report.html")));
  assertNothingLeft();
});

test("an abort while rungs are climbed keeps the blocks that are complete and leaves nothing running; a page shows it all", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const live = new LiveRun();
  await using server = await LiveServer.start(live, "a ladder");
  await using page = noChromium ? undefined : await openInBrowser(server.url);
  const { results, failure } = await ladder(
    { rungs: ["virtio-blk"], repeat: 2 },
    {
      live,
      signal: controller.signal,
      on: (text) => text.startsWith("block 2 of 2") && controller.abort(reason),
    },
  );
  assert.equal(failure, reason);
  // What the page got while the run went on: nothing is drawn again at its end here.
  await live.end({ failure: reason.message });
  if (page) await assertShowsFailedRun(page.page, reason.message);
  assert.equal(results.rungs.filter(({ status }) => status === "measured").length, 1);
  assertNothingLeft();
});

async function openInBrowser(url: string): Promise<AsyncDisposable & { page: Page }> {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.goto(url);
  return { page, [Symbol.asyncDispose]: () => browser.close() };
}

async function assertShowsFailedRun(page: Page, why: string): Promise<void> {
  await page.getByRole("heading", { name: "The run failed" }).waitFor();
  assert.equal(await page.locator("#doing").textContent(), why);
  const chart = (await page.locator("#chart-ladder svg.wide").textContent()) ?? "";
  assert.match(chart, /virtio-blk/);
  assert.equal(await page.locator("#chart-cpu svg").count(), 2);
  const steps = await page.locator("#step-list li").allTextContents();
  assert.ok(
    steps.some((step) => /^Climb 1 rung in 2 blocks, \d+:\d\d$/.test(step)),
    steps.join("; "),
  );
}

test("an abort before anything is measured is thrown, and leaves nothing", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = ladder(
    {},
    { signal: controller.signal, on: (text) => /osd/i.test(text) && controller.abort(reason) },
  );
  await assert.rejects(running, (error) => error === reason);
  assertNothingLeft();
});

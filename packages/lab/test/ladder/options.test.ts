import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../src/errors.ts";
import {
  type LadderOptionsInput,
  parseLadderOptions,
  quickOptions,
  readPlan,
} from "../../src/ladder/options.ts";
import { planRungs } from "../../src/rungs/plan.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-options-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const codeOf = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === code && message.test(error.message);

test("the defaults are the study's workload on a cluster that this machine can carry", () => {
  const options = parseLadderOptions({});
  assert.deepEqual([options.rw, options.bs, options.iodepth, options.repeat], ["randread", 16_384, 128, 7]);
  assert.deepEqual([options.inTime, parseLadderOptions({ repeat: 7 }).inTime], [true, false]);
  assert.ok(options.size >= 512 * 2 ** 20 && options.size <= 2 ** 30);
  assert.equal(options.cluster.store, "memstore");
});

test("a plan in YAML says the same as the command line", async () => {
  const path = join(dir, "siphon.yaml");
  writeFileSync(path, "repeat: 7\nbs: 4k\nvm:\n  cpus: 4\nexisting:\n  pool: vms\n");
  const options = parseLadderOptions(await readPlan(path));
  assert.deepEqual([options.repeat, options.bs, options.vm.cpus], [7, 4096, 4]);
  assert.equal(options.existing?.pool, "vms");
  assert.equal(options.existing?.conf, "/etc/ceph/ceph.conf");
});

test("a plan with a mistake is refused with its place", async () => {
  const path = join(dir, "bad.yaml");
  writeFileSync(path, "vm:\n  cpu: 4\n");
  await assert.rejects(readPlan(path), codeOf("SIPHON_USAGE", /vm.*cpu/));
  writeFileSync(path, "a: [");
  await assert.rejects(readPlan(path), codeOf("SIPHON_USAGE", /no YAML/));
  await assert.rejects(readPlan(join(dir, "none.yaml")), codeOf("SIPHON_NOT_FOUND", /none\.yaml/));
});

test("options out of range are refused", () => {
  assert.throws(() => parseLadderOptions({ repeat: 0 }), codeOf("SIPHON_USAGE", /repeat/));
  assert.throws(
    () => parseLadderOptions({ rungs: ["floppy"] }),
    codeOf("SIPHON_USAGE", /no rung called floppy/),
  );
  assert.throws(() => parseLadderOptions({ size: "256M" }), codeOf("SIPHON_USAGE", /bigger test/));
  assert.equal(parseLadderOptions({ size: "256M", bigger: false }).size, 2 ** 28);
  assert.throws(() => parseLadderOptions({ bs: "16x" }), codeOf("SIPHON_USAGE", /no size/));
});

test("the quick form climbs rungs that exist, in less time", () => {
  const offers = { qemuMajor: 7, cpus: 2, tcmalloc: "/x" };
  for (const mode of ["cumulative", "published"] as const) {
    const options = parseLadderOptions({ mode, ...quickOptions(mode) });
    assert.equal(planRungs(mode, offers, options.rungs).length, options.rungs!.length);
    assert.ok(options.rungs!.length >= 4 && options.repeat === 3);
  }
});

test("releases leave the bigger test out, and cannot go with what says the same or nothing of them", () => {
  const releases = ["pacific", "reef"];
  assert.equal(parseLadderOptions({ releases }).bigger, false);
  assert.equal(parseLadderOptions({}).bigger, true);
  for (const [input, message] of [
    [{ releases, mode: "published" }, /say nothing of releases/],
    [{ releases, rungs: ["ide", "q35"] }, /compared on one rung/],
    [{ releases, librbd: "/opt" }, /both say which librbd/],
    [{ releases: ["reef", "reef"] }, /named twice/],
  ] as const) {
    assert.throws(() => parseLadderOptions({ ...input } as LadderOptionsInput), {
      code: "SIPHON_USAGE",
      message,
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { type PlannedRung, planRungs, rungsOf } from "../../src/rungs/plan.ts";
import type { Offers } from "../../src/rungs/rung.ts";

const all: Offers = {
  tcmalloc: "/lib/libtcmalloc.so.4",
  jemalloc: "/lib/libjemalloc.so.2",
  librbdDir: "/opt/librbd",
  qemuMajor: 7,
  cpus: 2,
};

const settingsOf = (plan: PlannedRung[], name: string) => {
  const found = plan.find(({ rung }) => rung.name === name);
  assert.ok(found?.status === "planned", `${name} is planned`);
  return found.settings;
};

test("cumulative rungs each add to all before them; an aside is not built on", () => {
  const plan = planRungs("cumulative", all);
  assert.deepEqual(settingsOf(plan, "ide"), {
    machine: "pc",
    device: "ide",
    syntax: "drive",
    iothread: false,
    cache: "default",
    allocator: "libc",
    clientOptions: {},
  });
  assert.equal(settingsOf(plan, "jemalloc").allocator, "jemalloc");
  assert.deepEqual(settingsOf(plan, "secure"), {
    machine: "q35",
    device: "virtio-blk",
    syntax: "blockdev",
    iothread: true,
    cache: "none",
    allocator: "tcmalloc",
    librbdDir: "/opt/librbd",
    moduleDir: undefined,
    queues: 2,
    clientOptions: {
      librados_thread_count: "1",
      ms_client_mode: "secure",
      ms_mon_client_mode: "secure",
    },
  });
});

test("each cumulative rung changes one thing against the rung it is compared with", () => {
  const plan = planRungs("cumulative", all);
  for (const each of plan) {
    if (each.status !== "planned" || !each.against) continue;
    const before: Record<string, unknown> = { ...settingsOf(plan, each.against) };
    const after: Record<string, unknown> = { ...each.settings };
    const changed = Object.keys(after).filter(
      (key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]),
    );
    // virtio-blk pins its queue count, which IDE does not have.
    const expected = each.rung.name === "virtio-blk" ? 2 : 1;
    assert.equal(changed.length, expected, `${each.rung.name}: ${changed.join(", ")}`);
  }
});

test("a rung has the same settings whichever others are chosen, and is compared with the chosen one before", () => {
  const few = planRungs("cumulative", all, ["secure", "ide", "cache-none"]);
  assert.deepEqual(
    few.map(({ rung }) => rung.name),
    ["ide", "cache-none", "secure"],
  );
  assert.deepEqual(settingsOf(few, "cache-none"), settingsOf(planRungs("cumulative", all), "cache-none"));
  assert.deepEqual(
    few.map((each) => each.status === "planned" && each.against),
    [undefined, "ide", "cache-none"],
  );
});

test("a rung whose needs are missing is skipped with its reason, and the later ones climb without it", () => {
  const plan = planRungs("cumulative", { qemuMajor: 7, cpus: 2, noSecure: "no session key" });
  const skipped = plan.flatMap((each) => (each.status === "skipped" ? [[each.rung.name, each.reason]] : []));
  assert.deepEqual(
    skipped.map(([name]) => name),
    ["tcmalloc", "jemalloc", "new-librbd", "secure", "siphon-nbd-secure", "siphon-vhost-secure"],
  );
  assert.match(skipped[0][1], /libgoogle-perftools4/);
  assert.match(skipped[2][1], /--librbd DIR/);
  assert.equal(skipped[3][1], "no session key");
  assert.equal(settingsOf(plan, "blockdev").allocator, "libc");
});

test("siphon's own rungs are librbd's with the image served by siphon, encrypted or not, and nothing builds on them", () => {
  const plan = planRungs("cumulative", all);
  for (const [ours, theirs] of [
    ["siphon-vhost", "librados-threads"],
    ["siphon-vhost-secure", "secure"],
  ]) {
    const { server, ...rest } = settingsOf(plan, ours!);
    assert.equal(server, "vhost");
    assert.deepEqual(rest, settingsOf(plan, theirs!));
  }
  assert.equal(settingsOf(plan, "secure").server, undefined);
});

test("QEMU 9 and newer share the queues between I/O threads", () => {
  assert.equal(settingsOf(planRungs("cumulative", { ...all, cpus: 8 }), "multiqueue").iothreads, undefined);
  const newer = settingsOf(planRungs("cumulative", { ...all, cpus: 8, qemuMajor: 9 }), "multiqueue");
  assert.deepEqual([newer.queues, newer.iothreads], [8, 4]);
});

test("published rungs replay the study's steps, with what it changed at once", () => {
  const plan = planRungs("published", all);
  assert.equal(settingsOf(plan, "tcmalloc").iothread, false);
  const newer = settingsOf(plan, "new-librbd");
  assert.deepEqual([newer.iothread, newer.aio, newer.librbdDir], [true, "native", "/opt/librbd"]);
  const last = settingsOf(plan, "blockdev-q35");
  assert.deepEqual([last.machine, last.syntax], ["q35", "blockdev"]);
  assert.ok(plan.every((each) => each.status === "planned" && each.settings.queues === undefined));
});

test("an unknown rung is refused, with the names there are", () => {
  assert.throws(
    () => planRungs("cumulative", all, ["floppy"]),
    (error: unknown) => error instanceof LabError && error.code === "SIPHON_USAGE" && /ide/.test(error.hint!),
  );
});

test("every rung says why it matters, and names are unique", () => {
  for (const mode of ["cumulative", "published"] as const) {
    const rungs = rungsOf(mode);
    assert.equal(new Set(rungs.map(({ name }) => name)).size, rungs.length);
    for (const { why, title } of rungs) assert.ok(why.endsWith(".") && title.length > 0);
  }
});

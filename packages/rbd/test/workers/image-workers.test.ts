import assert from "node:assert/strict";
import { test } from "node:test";
import { assertWorkers, ImageWorkers } from "../../src/workers/image-workers.ts";
import { OwnerIo } from "../../src/workers/owner-io.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";

/** An image whose workers connect with these options. */
function imageOf(options: () => object) {
  const io = new OwnerIo({ objecter: new MemoryOsd(), state: imageState() });
  const deaths: Error[] = [];
  const image = {
    cluster: { fencedOptions: options, fsid: "00000000-0000-0000-0000-000000000000" } as never,
    header: { name: "a" },
    lock: undefined,
    ensureOwner: async () => {},
    renewParents: async () => {},
    workerDied: (error: Error) => void deaths.push(error),
  };
  return { workers: new ImageWorkers(image, io, {}), deaths, io };
}

test("threads that cannot connect are ended, and what kept them from it is thrown, with its code", async () => {
  const { workers, deaths } = imageOf(() => ({ conf: "/nonexistent/ceph.conf", env: {} }));
  await assert.rejects(workers.open(2), { code: "SIPHON_RADOS_CONFIG", message: /nonexistent/ });
  assert.deepEqual([workers.count, workers.isSingle, deaths], [1, true, []]);
});

test("without workers the function of a module runs in this thread", async () => {
  const { workers, io } = imageOf(() => ({}));
  const module = new URL(
    `data:text/javascript,export const inWorker = async (image, run) => { run.tell("here"); return [image.size, run.index, run.count, run.data]; };`,
  );
  const told: unknown[] = [];
  const results = await workers.run(module, "data", {
    onMessage: (message, index) => told.push([message, index]),
  });
  assert.deepEqual(results, [[io.size, 0, 1, "data"]]);
  assert.deepEqual(told, [["here", 0]]);
});

test("an image has a number of workers that makes sense, and no cache beside them", () => {
  assertWorkers("a", { workers: 2, cache: false });
  for (const workers of [0, -1, 1.5, 65, Number.NaN]) {
    assert.throws(() => assertWorkers("a", { workers }), { code: "SIPHON_RBD_INVALID" });
  }
  assert.throws(() => assertWorkers("a", { workers: 2, cache: { policy: "writeback" } }), /cache/);
});

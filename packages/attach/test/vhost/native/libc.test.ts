import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const program = new URL("../../support/polling-thread.ts", import.meta.url);

for (const [ends, code] of [
  ["exits", 3],
  ["throws", 1],
] as const) {
  test(`a thread that ${ends} while a descriptor is readable ends alone, with its own code`, async () => {
    for (let round = 0; round < 3; round++) {
      const thread = new Worker(program, { workerData: ends, trackUnmanagedFds: false });
      await once(thread, "message");
      const errors: unknown[] = [];
      thread.on("error", (error) => errors.push(error));
      const exited = new Promise((resolve) => thread.on("exit", resolve));
      thread.postMessage("end");
      assert.equal(await exited, code);
      assert.deepEqual(errors, ends === "throws" ? [new Error("on purpose")] : []);
    }
  });
}

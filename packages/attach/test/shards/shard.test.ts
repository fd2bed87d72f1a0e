import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseImageSpec } from "../../src/server/image-spec.ts";
import { Shard } from "../../src/shards/shard.ts";

/** A cluster that is not there. */
const cluster = {
  settings: { mon_host: "127.0.0.1:1", auth_client_required: "none", client_mount_timeout: "1" },
};

/** Pids of the shards of this process. */
function shards(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

test("a shard that is told its work part by part says what fails, and is started again when it is killed", async () => {
  const events: (string | undefined)[] = [];
  const lost = Promise.withResolvers<string>();
  const job = { cluster, drainTimeout: 10_000, logFormat: "text" } as const;
  const log = (_: string, about?: { event: string }) => void events.push(about?.event);
  const shard = new Shard(1, job, log, 30, lost.resolve);
  assert.deepEqual(await shard.start(), []);
  const request = { images: [parseImageSpec("pool/vm1")], vhost: ["/tmp/siphon-none.sock"] };
  const add = { do: "add", part: "vm1", request } as const;
  await assert.rejects(shard.carryOut(add), /no monitor could be reached/);
  await assert.rejects(shard.carryOut({ do: "remove", part: "vm1" }), { code: "SIPHON_ATTACH_DISK" });
  assert.deepEqual(await shard.measure(), []);

  const [pid] = shards() as [number];
  const underWay = assert.rejects(shard.carryOut(add), /killed by SIGKILL/);
  process.kill(pid, "SIGKILL");
  await underWay;
  assert.equal(await lost.promise, "was killed by SIGKILL");
  // Waits for the next process.
  await assert.rejects(shard.carryOut(add), /no monitor could be reached/);
  assert.deepEqual(shard.state, { shard: 1, isUp: true, restarts: 1 });
  assert.deepEqual(events, ["shard-ended", "shard-serving"]);
  assert.notEqual(shards()[0], pid);

  await shard.stop();
  assert.deepEqual(shards(), []);
  await assert.rejects(shard.carryOut(add), /shard 1 ends|shard ended/);
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { loseAnswers } from "../../soak/rbd/answers/campaign.ts";
import { type TaskName, tasks } from "../../soak/rbd/answers/tasks.ts";
import { runChains } from "../../soak/rbd/chains/campaign.ts";
import { runFights } from "../../soak/rbd/fights/campaign.ts";
import { settings } from "../../soak/rbd/settings.ts";
import { runTimeouts } from "../../soak/rbd/timeouts/campaign.ts";

/** Short runs of `npm run soak:rbd-faults`. */

let ceph: LocalCluster;

before(async () => {
  ceph = await LocalCluster.up({
    ...{ name: "rbd-campaigns", osds: 2, replicas: 1, store: "memstore", pgs: 8, settings },
  });
});

after(() => ceph?.down());

test("the last clone of a chain loses nothing while those above it are flattened, renamed, copied and removed", async () => {
  const result = await runChains({ conf: ceph.conf, pool: ceph.spec.pool, seed: 7, seconds: 0 });
  assert.equal(result.chains, 4);
  assert.ok(result.flattened >= 4 && result.removed >= 4, JSON.stringify(result));
  assert.ok(result.copyUps > 0 && result.parentReads > 0);
});

test("whichever reply of whichever task is lost, acknowledged data is there and the header is true", async (t) => {
  const seed = Date.now() % 1_000_000;
  t.diagnostic(`again: npm run soak:rbd-faults -- --only answers --losses 1 --seed ${seed}`);
  const { losses, acknowledged } = await loseAnswers({
    ...{ conf: ceph.conf, pool: ceph.spec.pool, seed, losses: 1 },
  });
  for (const name of Object.keys(tasks) as TaskName[]) assert.equal(losses[name], 1, name);
  assert.ok(acknowledged > 0);
});

test("acknowledged data is there, and snapshots lie between writes, while OSDs stop and requests time out", async () => {
  const result = await runTimeouts({ ceph, seed: 7, seconds: 0 });
  assert.ok(result.stops === 3 && result.timedOut > 0, JSON.stringify(result));
});

test("clients that compete for a lock, librbd among them, all get their turn, and no live client is fenced", async () => {
  const result = await runFights({
    ...{ conf: ceph.conf, pool: ceph.spec.pool, seed: 7, seconds: 8, clients: 3, librbdTurns: 1 },
  });
  assert.equal(result.fenced, 0);
  assert.ok(result.turns >= 3 && result.deaths > 0, JSON.stringify(result));
});

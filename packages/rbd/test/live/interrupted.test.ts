import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { forgetful, runCampaign } from "../../soak/interrupted/campaign.ts";
import { type OperationName, operations } from "../../soak/interrupted/operations.ts";

let cluster: LocalCluster;

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  cluster = await LocalCluster.up({ name: `rbd-interrupted-${process.pid}`, ...small, settings: forgetful });
});

after(() => cluster?.[Symbol.asyncDispose]());

test("what rm, flatten, copies, import-diff and a purge leave when they are killed, rbd and siphon list, and finish or remove", async () => {
  const only = Object.keys(operations) as OperationName[];
  const kills = await runCampaign({ conf: cluster.conf, only, kills: 2, seed: 3, measured: 1 });
  assert.equal(kills.length, 2 * only.length);
  for (const { operation, phase, failure } of kills)
    assert.equal(failure, undefined, `${operation}: ${phase}`);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { faults } from "../../soak/rados/faults/faults.ts";
import { runCampaign } from "../../soak/rbd/faults/campaign.ts";

test("whatever fails, a clone loses nothing acknowledged, and its object map stays right", async () => {
  const result = await runCampaign({
    ...{ spec: { wire: "crc" }, seconds: 0, seed: 1 },
    ...{ hold: 500, long: false, size: 32 * 2 ** 20 },
  });
  for (const name of Object.keys(faults)) assert.equal(result.faults[name as keyof typeof faults], 1, name);
  assert.ok(result.socketsCut > 0);
  assert.ok(result.copyUps > 0 && result.parentReads > 0);
});

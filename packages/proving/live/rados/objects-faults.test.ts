import assert from "node:assert/strict";
import { test } from "node:test";
import { runCampaign } from "../../soak/rados/faults/campaign.ts";
import { faults } from "../../soak/rados/faults/faults.ts";

test("whatever fails, nothing acknowledged is lost, torn, stale or applied twice", async () => {
  const result = await runCampaign({
    ...{ spec: { wire: "crc" }, seconds: 0, seed: 1 },
    ...{ ticketLifetime: 20, hold: 1_000, long: false },
  });
  for (const name of Object.keys(faults)) assert.equal(result.faults[name as keyof typeof faults], 1, name);
  assert.ok(result.socketsCut > 0);
  assert.ok(result.watching.notifies > result.watching.missed);
  assert.ok(result.operations.writes > 0 && result.operations.appends > 0);
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { runCampaign } from "../../soak/rbd/commands/campaign.ts";
import { describe } from "../../soak/rbd/commands/describe.ts";
import { someLines } from "../../soak/rbd/commands/lines.ts";

let cluster: LocalCluster;

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  cluster = await LocalCluster.up({ name: `rbd-lines-${process.pid}`, ...small });
});

after(() => cluster?.down());

test("generated command lines end, print and report like rbd's, except for intended differences", async () => {
  const findings = await runCampaign({ conf: cluster.conf, lines: someLines(60, 18) });
  const open = findings.filter(({ differences }) => differences.length === 0);
  assert.equal(open.length, 0, open.map(describe).join("\n"));
});

import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { endOnSignals } from "../end-on-signals.ts";
import { forgetful, runCampaign } from "./interrupted/campaign.ts";
import { type OperationName, operations } from "./interrupted/operations.ts";
import { describe, summary } from "./interrupted/summary.ts";

/**
 * Kills long operations at random points, many times each, and lets `rbd` or `siphon rbd` list the remains, and finish
 * or remove them: `node interrupted.ts [--kills 100] [--only rm,flatten,copy,deep-copy,import-diff,trash-purge] [--seed
 * 1] [--json FILE] [--lanes 6] [--verbose]`. Ends with an error if anything was wrong.
 */
const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    only: { type: "string", default: Object.keys(operations).join(",") },
    seed: { type: "string", default: "1" },
    lanes: { type: "string", default: "6" },
    json: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
await endOnSignals();
const only = values.only.split(",") as OperationName[];
const unknown = only.filter((name) => !(name in operations));
if (unknown.length > 0) throw new Error(`there is no operation ${unknown.join(", ")}`);

await using cluster = await LocalCluster.up({
  ...{ name: `soak-interrupted-${process.pid}`, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
  settings: forgetful,
});
const began = performance.now();
const kills = await runCampaign({
  ...{ conf: cluster.conf, only, kills: Number(values.kills), seed: Number(values.seed) },
  lanes: Number(values.lanes),
  report: (kill) => {
    if (values.verbose || kill.failure !== undefined) console.log(describe(kill));
  },
});
const seconds = Math.round((performance.now() - began) / 1000);
const result = { seed: Number(values.seed), seconds, operations: summary(kills), kills };
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
for (const [name, { phases, ...counts }] of Object.entries(result.operations)) {
  console.log(`${name}: ${JSON.stringify(counts)}`);
  console.table(phases);
}
console.log(`${kills.length} kills in ${seconds} s (seed ${values.seed})`);
const failed = kills.filter(({ failure }) => failure !== undefined);
if (failed.length > 0) throw new Error(`${failed.length} of them left something that was not in order`);

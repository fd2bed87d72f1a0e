import { writeFile } from "node:fs/promises";
import { LocalCluster } from "@siphon/lab";
import { begin, count, flag, text, usualSeed, words } from "../../program.ts";
import { forgetful, runCampaign } from "./interrupted/campaign.ts";
import { type OperationName, operations } from "./interrupted/operations.ts";
import { describe, summary } from "./interrupted/summary.ts";

/**
 * Kills long operations at random points, many times each, and lets `rbd` or `siphon rbd` list the remains, and finish
 * or remove them. Ends with an error if anything was wrong.
 */
const values = await begin(
  "soak:interrupted",
  "Kills long operations at random points, and lets rbd or siphon rbd finish or remove the remains.",
  {
    kills: count("kills of each operation", 100),
    only: words(Object.keys(operations) as OperationName[], "which operations"),
    seed: usualSeed,
    lanes: count("operations at the same time", 6),
    json: text("FILE", "write the results into this file"),
    verbose: flag("print each kill"),
  },
);
const { only, seed } = values;
const unknown = only.filter((name) => !(name in operations));
if (unknown.length > 0) throw new Error(`there is no operation ${unknown.join(", ")}`);

await using cluster = await LocalCluster.up({
  ...{ name: `soak-interrupted-${process.pid}`, osds: 1, replicas: 1, store: "memstore", pgs: 8 },
  settings: forgetful,
});
const began = performance.now();
const kills = await runCampaign({
  ...{ conf: cluster.conf, only, kills: values.kills, seed },
  lanes: values.lanes,
  report: (kill) => {
    if (values.verbose || kill.failure !== undefined) console.log(describe(kill));
  },
});
const seconds = Math.round((performance.now() - began) / 1000);
const result = { seed, seconds, operations: summary(kills), kills };
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
for (const [name, { phases, ...counts }] of Object.entries(result.operations)) {
  console.log(`${name}: ${JSON.stringify(counts)}`);
  console.table(phases);
}
console.log(`${kills.length} kills in ${seconds} s (seed ${values.seed})`);
const failed = kills.filter(({ failure }) => failure !== undefined);
if (failed.length > 0) throw new Error(`${failed.length} of them left something that was not in order`);

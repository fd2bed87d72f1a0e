/**
 * Faults under random writes to a clone with an object map, with a check that nothing which was acknowledged is lost, torn or stale:
 * `node faults.ts [--seconds 600] [--seed 1] [--wire crc|secure]`. Ends with an error at the first violation.
 */
import { parseArgs } from "node:util";
import { runCampaign } from "./faults/campaign.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: "1" },
    wire: { type: "string", default: "secure" },
  },
});
const seed = Number(values.seed);
const { operations, faults, ...counts } = await runCampaign({
  spec: { wire: values.wire === "crc" ? "crc" : "secure" },
  ...{ seconds: Number(values.seconds), seed, hold: 4_000, long: true, size: 2 ** 30 },
  report: (line) => console.log(line),
});
console.log(`no violation in ${counts.seconds} s (seed ${seed}, ${values.wire})`);
console.table({ ...operations, ...faults, ...counts });

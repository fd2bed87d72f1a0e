/**
 * Faults under load, with a check that nothing acknowledged is lost, torn, stale or applied twice: `node rados.ts
 * [--seconds 600] [--seed 1] [--wire crc|secure|v1]`. Ends with an error at the first violation.
 */
import { parseArgs } from "node:util";
import { endOnSignals } from "../end-on-signals.ts";
import { runCampaign } from "./faults/campaign.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: "1" },
    wire: { type: "string", default: "secure" },
  },
});
await endOnSignals();
const spec =
  values.wire === "v1"
    ? { msgr: "v1" as const }
    : { wire: values.wire === "crc" ? ("crc" as const) : ("secure" as const) };
const seed = Number(values.seed);
const result = await runCampaign({
  ...{ spec, seconds: Number(values.seconds), seed },
  ...{ ticketLifetime: 60, hold: 4_000, long: true, report: (line) => console.log(line) },
});
console.log(`no violation in ${result.seconds} s (seed ${seed}, ${values.wire})`);
console.table({ ...result.operations, ...result.watching, ...result.faults });
const { connectionsLost, socketsCut, ticketRenewals } = result;
console.table({ connectionsLost, socketsCut, ticketRenewals });

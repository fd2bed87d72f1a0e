/**
 * Faults under load, with a check that nothing acknowledged is lost, torn, stale or applied twice. Ends with an error
 * at the first violation.
 */
import { begin, count, usualSeed, word } from "../../program.ts";
import { runCampaign } from "./faults/campaign.ts";

const values = await begin(
  "soak:rados",
  "Faults of a cluster under load: nothing acknowledged may be lost, torn, stale or applied twice.",
  {
    seconds: count("duration", 600),
    seed: usualSeed,
    wire: word(["crc", "secure", "v1"], "mode of the wire", "secure"),
  },
);
const spec = values.wire === "v1" ? { msgr: "v1" as const } : { wire: values.wire };
const seed = values.seed;
const result = await runCampaign({
  ...{ spec, seconds: values.seconds, seed },
  ...{ ticketLifetime: 60, hold: 4_000, long: true, report: (line) => console.log(line) },
});
console.log(`no violation in ${result.seconds} s (seed ${seed}, ${values.wire})`);
console.table({ ...result.operations, ...result.watching, ...result.faults });
const { connectionsLost, socketsCut, ticketRenewals } = result;
console.table({ connectionsLost, socketsCut, ticketRenewals });

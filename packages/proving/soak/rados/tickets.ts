/**
 * Tickets that last a minute, renewed three times under load, over each protocol: `node tickets.ts [--lifetime 60]
 * [--renewals 3]`. Ends with an error at the first failed command.
 */
import { parseArgs } from "node:util";
import { renewUnderLoad } from "../../support/rados/renewals.ts";
import { endOnSignals } from "../end-on-signals.ts";

const { values } = parseArgs({
  options: { lifetime: { type: "string", default: "60" }, renewals: { type: "string", default: "3" } },
});
await endOnSignals();
const [lifetime, renewals] = [Number(values.lifetime), Number(values.renewals)];
for (const mode of ["v1", "crc", "secure"] as const) {
  const answered = await renewUnderLoad(mode, lifetime, renewals);
  console.log(`${mode}: ${answered} commands answered over ${renewals} renewals of ${lifetime} s tickets`);
}

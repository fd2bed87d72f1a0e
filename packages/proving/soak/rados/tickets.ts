/**
 * Tickets that last a minute, renewed three times under load, over each protocol. Ends with an error at the first
 * failed command.
 */
import { begin, count } from "../../program.ts";
import { renewUnderLoad } from "../../support/rados/renewals.ts";

const values = await begin(
  "soak:tickets",
  "Tickets that last a minute, renewed under load, over each protocol.",
  {
    lifetime: count("lifetime of the tickets in seconds", 60),
    renewals: count("number of renewals", 3),
  },
);
const { lifetime, renewals } = values;
for (const mode of ["v1", "crc", "secure"] as const) {
  const answered = await renewUnderLoad(mode, lifetime, renewals);
  console.log(`${mode}: ${answered} commands answered over ${renewals} renewals of ${lifetime} s tickets`);
}

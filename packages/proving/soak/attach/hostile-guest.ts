/**
 * Lets a hostile guest loose on a vhost-user-blk server beside a good one, and then one that floods it and stops with all rings full:
 * `node hostile-guest.ts [--attacks N] [--floods N] [--seed S]`. Ends with an error at the first harm; the seed makes it again.
 */
import { parseArgs } from "node:util";
import { floodRun } from "../../../attach/test/support/flood-run.ts";
import { hostileRun } from "../../../attach/test/support/hostile-run.ts";
import { endOnSignals } from "../end-on-signals.ts";

const { values } = parseArgs({
  options: {
    attacks: { type: "string", default: "100000" },
    floods: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  },
});
await endOnSignals();
const outcome = await hostileRun(Number(values.attacks), Number(values.seed), (done) => {
  if (done % 10_000 === 0) console.log(`${done} attacks`);
});
console.table(outcome);
const floods = await floodRun(Number(values.floods), Number(values.seed), (done) => {
  if (done % 100 === 0) console.log(`${done} floods`);
});
console.table(floods);

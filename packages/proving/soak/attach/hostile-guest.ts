/**
 * Lets a hostile guest loose on a vhost-user-blk server beside a good one, and then one that floods it and stops with all rings full:
 * `node hostile-guest.ts [--attacks N] [--floods N] [--minutes N] [--seed S]`. Ends with an error at the first harm; the seed makes it again.
 * With `--minutes` each of the two has half of the time, however often that is.
 */
import { parseArgs } from "node:util";
import { floodRun } from "../../../attach/test/support/flood-run.ts";
import { hostileRun } from "../../../attach/test/support/hostile-run.ts";
import { endOnSignals } from "../end-on-signals.ts";

const { values } = parseArgs({
  options: {
    attacks: { type: "string" },
    floods: { type: "string" },
    minutes: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
await endOnSignals();
const { attacks = times(100_000), floods = times(1000) } = values;
const attacked = await hostileRun(Number(attacks), Number(values.seed), every(10_000, "attacks"), timeUp());
console.table(attacked);
const flooded = await floodRun(Number(floods), Number(values.seed), every(100, "floods"), timeUp());
console.table(flooded);

/** As often as said, or as the time allows. */
function times(usually: number): number {
  return values.minutes === undefined ? usually : Number.POSITIVE_INFINITY;
}

/** Whether half of the time is up, from now on. */
function timeUp(): () => boolean {
  const { minutes } = values;
  const end =
    performance.now() + (minutes === undefined ? Number.POSITIVE_INFINITY : Number(minutes) * 30_000);
  return () => performance.now() >= end;
}

function every(step: number, what: string): (done: number) => void {
  return (done) => {
    if (done % step === 0) console.log(`${done} ${what}`);
  };
}

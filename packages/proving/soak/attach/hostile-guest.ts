/**
 * Runs a hostile guest against a vhost-user-blk server beside a well-behaved one, and then a guest that floods the
 * server and stops with all rings full. Ends with an error at the first harm; the seed reproduces it. With `--minutes`
 * each of the two ends after half of that time, or after its number if that is given as well.
 */
import { floodRun } from "../../../attach/test/support/flood-run.ts";
import { hostileRun } from "../../../attach/test/support/hostile-run.ts";
import { begin, count, usualSeed } from "../../program.ts";

const values = await begin(
  "soak:guest",
  "A hostile guest against a vhost-user-blk server, and one that floods it and stops with all rings full.",
  {
    attacks: count("attacks (default: 100,000, with --minutes no limit)"),
    floods: count("floods (default: 1,000, with --minutes no limit)"),
    minutes: count("end each of the two after half of this time"),
    seed: usualSeed,
  },
);
const { attacks = times(100_000), floods = times(1000) } = values;
const attacked = await hostileRun(attacks, values.seed, every(10_000, "attacks"), timeUp());
console.table(attacked);
const flooded = await floodRun(floods, values.seed, every(100, "floods"), timeUp());
console.table(flooded);

/** The default number of rounds; unlimited if the time is limited. */
function times(usual: number): number {
  return values.minutes === undefined ? usual : Number.POSITIVE_INFINITY;
}

/** Returns a function that tells whether half of the time has passed since this call. */
function timeUp(): () => boolean {
  const { minutes = Number.POSITIVE_INFINITY } = values;
  const end = performance.now() + minutes * 30_000;
  return () => performance.now() >= end;
}

function every(step: number, what: string): (done: number) => void {
  return (done) => {
    if (done % step === 0) console.log(`${done} ${what}`);
  };
}

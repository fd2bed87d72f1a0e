import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster } from "@siphon/rados";
import { Random } from "../../../../rados/test/support/random.ts";
import { assertAsBefore, assertListed, assertMapSafe, unwatched } from "./look.ts";
import { type OperationName, operations } from "./operations.ts";
import { Pace } from "./pace.ts";
import { only as onlyIn, type PoolState, remains } from "./pool-state.ts";
import { Stage } from "./stage.ts";
import { Victim } from "./victim.ts";

export interface CampaignOptions {
  /** ceph.conf of a cluster with the settings `forgetful`. */
  conf: string;
  only: readonly OperationName[];
  /** The number of kills per operation. */
  kills: number;
  seed: number;
  /** How often each operation runs to its end before it is killed for the first time (default: 3). */
  measured?: number;
  /** The number of pools worked on at the same time: most of the time is spent waiting until killed clients are forgotten. */
  lanes?: number;
  /** Called after each kill has been dealt with. */
  report?: (kill: Kill) => void;
}

/** Settings of a cluster that forgets killed clients within seconds instead of 30 s, and trims snapshots at once. */
export const forgetful = { osd_client_watch_timeout: 3, osd_snap_trim_sleep: 0.001, osd_max_trimming_pgs: 8 };

/** A process that was killed, and how its remains were dealt with. */
export interface Kill {
  operation: OperationName;
  /** Together with the seed, reproduces the case. */
  number: number;
  by: "time" | "write";
  /** When the process was killed: milliseconds, or writes to sockets. `of` is the total of an uninterrupted run. */
  at: number;
  of: number;
  phase: string;
  /** The program that dealt with the remains, and how. */
  program: "rbd" | "siphon";
  ending: "finished" | "removed";
  /** The error that was found. */
  failure?: string;
}

/** Kills each operation at random points, lets `rbd` or siphon deal with the remains, and checks the result. */
export async function runCampaign(options: CampaignOptions): Promise<Kill[]> {
  const { conf, kills: wanted, seed, report = () => {} } = options;
  const lanes = Math.min(options.lanes ?? 6, wanted * options.only.length);
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "siphon-interrupted-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const cluster = stack.use(await Cluster.connect({ conf, name: "client.admin", env: {} }));
  const todo = Array.from({ length: wanted }, (_, number) =>
    options.only.map((operation) => ({ operation, number })),
  ).flat();
  const paces = new Map(options.only.map((operation) => [operation, new Pace(options.measured ?? 3)]));
  const kills: Kill[] = [];
  let pools = 0;

  async function work(): Promise<void> {
    while (todo.length > 0) {
      await using stage = await Stage.set(cluster, { conf, directory, pool: `interrupted-${pools++}` });
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const kill = await killOnce(stage, next.operation, next.number);
        kills.push(kill);
        report(kill);
        // The pool is in an unknown state, so the next kill uses a new one.
        if (kill.failure !== undefined) break;
      }
    }
  }

  /** Runs the operation until it is killed halfway. If it ends before the kill, everything is prepared again. */
  async function killOnce(stage: Stage, operation: OperationName, number: number): Promise<Kill> {
    const random = new Random(seed * 10_007 + number);
    const pace = paces.get(operation)!;
    const variant = number + 3 * options.only.indexOf(operation);
    const program = variant % 2 === 0 ? stage.rbd : stage.siphon;
    const ending = variant % 4 < 2 ? "finished" : "removed";
    const by = variant % 8 < 4 ? "time" : "write";
    // Multiples of the golden ratio cover all parts of a run evenly, whatever the number of kills.
    const fraction = ((seed + number) * 0.618034 + random.below(100) / 1000) % 1;
    for (let tries = 0; ; ) {
      const prepared = await operations[operation].prepare(stage, random);
      const moment = pace.moment(by, fraction, tries);
      const kill: Kill = {
        ...{ operation, number, by, at: moment?.at ?? 0, of: pace.usual(by) },
        ...{ phase: "", program: program.name, ending },
      };
      try {
        await using victim = await Victim.start(stage);
        const outcome = await victim.perform(operation, moment);
        if (!outcome.killed) {
          pace.add(outcome);
          await prepared.remove(program);
          await assertAsBefore(stage);
          if (moment !== undefined && ++tries > 50) throw new Error("it always ends before it is killed");
          continue;
        }
        const state = await settled(stage);
        kill.phase = await prepared.phase(remains(state, stage.before));
        await assertListed(stage, program, prepared, state);
        await unwatched(stage);
        if (random.chance(0.5)) await assertMapSafe(stage, program, prepared, state);
        if (ending === "finished") await prepared.finish(program);
        await prepared.remove(program);
        await assertAsBefore(stage);
        return kill;
      } catch (error) {
        const left = onlyIn(await stage.state(), stage.before).map((line) => line.slice(0, 200));
        return { ...kill, failure: `${(error as Error).stack}\nthere is:\n${left.join("\n")}` };
      }
    }
  }

  await Promise.all(Array.from({ length: lanes }, work));
  return kills;
}

/** Waits until writes that were in flight at the kill have arrived. */
async function settled(stage: Stage): Promise<PoolState> {
  for (let state = await stage.state(); ; ) {
    await sleep(50);
    const before = state;
    state = await stage.state();
    if (onlyIn(state, before).length === 0 && onlyIn(before, state).length === 0) return state;
  }
}

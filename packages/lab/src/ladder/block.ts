import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabError } from "../errors.ts";
import { atMost } from "../host/at-most.ts";
import { isDisturbed } from "../results/quiet.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { BlockHooks, BlockPlan } from "./block-plan.ts";
import { measurePoint } from "./curve-slices.ts";
import { bootAgain, forRung, mayBootAgain, measurePlace, onVm } from "./on-vm.ts";
import { runOf } from "./sliced-run.ts";
import { type Stand, Stands } from "./stands.ts";

/** Maximum number of repeated slices, as a fraction of the planned ones. */
const AGAIN = 0.2;

/** VMs that boot at the same time: while one waits, the other uses the processors. */
const AT_ONCE = 2;

/**
 * Measures rungs in one block: each rung's VM boots once. Rounds of slices visit all rungs in order and in reverse, so
 * that neighbours are measured within a second of each other, and linear drift cancels between the two directions.
 * Slices disturbed by other programs are repeated, up to a limit. Then each point of the curves is measured once per
 * block, in all rungs one after the other, with the order reversed in the next block. A VM that hangs is booted again,
 * once per block.
 */
export async function measureBlock(
  rungs: readonly PlannedClimb[],
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  await using stands = new Stands();
  const alone = rungs.filter(hooks.bootsAlone);
  const together = rungs.filter((rung) => !alone.includes(rung));
  let booted = 0;
  const boot = async (rung: PlannedClimb) => {
    hooks.report(`booting VM ${++booted} of ${rungs.length}, ${rung.rung.name}`);
    await forRung(rung, hooks, async () => {
      stands.add(rung, await hooks.stand(rung, hooks.signal));
    });
  };
  await atMost(AT_ONCE, together, boot);
  await atMost(1, alone, boot);
  await measureRounds(rungs, stands, plan, hooks);
  const standing = rungs.filter((rung) => stands.has(rung));
  await endLoads(standing, stands, plan, hooks);
  await measurePoints(standing, stands, plan, hooks);
  await atMost(AT_ONCE, standing, (rung) => handOver(rung, stands, hooks));
}

async function measureRounds(
  rungs: readonly PlannedClimb[],
  stands: Stands,
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  const { rounds } = plan;
  let spare = Math.ceil(2 * rounds * rungs.length * AGAIN);
  for (let round = 0; round < rounds; round++) {
    for (const way of [0, 1] as const) {
      hooks.report(`round ${round + 1} of ${rounds}, ${way === 0 ? "there" : "and back"}`);
      for (const rung of way === 0 ? rungs : rungs.toReversed()) {
        if (!stands.has(rung)) continue;
        const worked = await onVm(rung, stands, plan, hooks, async (stand) => {
          const slice = () => measurePlace(stand, { round, way }, plan, hooks);
          if (isDisturbed(await slice()) && spare-- > 0) await slice();
          await hooks.sliced?.(rung, stand.slices, stand.started);
        });
        if (!worked) await stands.remove(rung);
      }
    }
  }
}

/** Ends the loads of the rounds. If a VM hangs now, its slices are measured again after the other loads have ended. */
async function endLoads(
  rungs: readonly PlannedClimb[],
  stands: Stands,
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  const hung: [Stand, LabError][] = [];
  const settle = async (rung: PlannedClimb, ended: boolean) => {
    if (!ended || plan.points.length === 0) await handOver(rung, stands, hooks);
  };
  await atMost(AT_ONCE, rungs, async (rung) => {
    const stand = stands.get(rung)!;
    let hangs = false;
    const ended = await forRung(rung, hooks, () =>
      endLoad(stand, plan, hooks).catch((error) => {
        hangs = mayBootAgain(stand, error);
        if (!hangs) throw error;
        hung.push([stand, error]);
      }),
    );
    if (!hangs) await settle(rung, ended);
  });
  for (const [stand, why] of hung) {
    const ended = await forRung(stand.rung, hooks, async () => {
      await bootAgain(stand, why, plan, hooks);
      if (!stand.run) await endLoad(stand, plan, hooks);
    });
    await settle(stand.rung, ended);
  }
}

async function endLoad(
  stand: Stand,
  { block, directory, points }: BlockPlan,
  { signal }: BlockHooks,
): Promise<void> {
  const fio = join("fio", `${stand.rung.rung.name}-${block + 1}.json`);
  const { output, figures } = await stand.vm.end(signal);
  await writeFile(join(directory, fio), output);
  stand.run = { started: stand.started, fio, ...runOf(stand.slices, figures) };
  if (points.length > 0) await stand.vm.pause();
}

async function measurePoints(
  rungs: readonly PlannedClimb[],
  stands: Stands,
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  const { points, block, times } = plan;
  const { report, osdPids, signal } = hooks;
  const back = block % 2 === 1;
  let spare = Math.ceil(points.length * rungs.length * AGAIN);
  const again = () => spare-- > 0;
  // A point has one slice per block, twice as long as a slice of the rounds.
  const slice = { ...times, seconds: 2 * times.seconds };
  for (const point of back ? points.toReversed() : points) {
    report(`curves: ${point.mix} at depth ${point.depth}`);
    for (const rung of back ? rungs.toReversed() : rungs) {
      if (!stands.has(rung)) continue;
      const worked = await onVm(rung, stands, plan, hooks, async (stand) => {
        const measuring = { times: slice, osdPids: osdPids(), again };
        stand.points.push(await measurePoint(stand.vm, point, measuring, signal));
      });
      if (!worked) await handOver(rung, stands, hooks);
    }
  }
}

/** Ends a rung's VM, and returns its measurements. */
async function handOver(rung: PlannedClimb, stands: Stands, { done }: BlockHooks): Promise<void> {
  const stand = stands.get(rung);
  await stands.remove(rung);
  if (!stand?.run) return;
  const { run, points, hung } = stand;
  done(rung, {
    ...run,
    ...(points.length > 0 && { points }),
    ...(hung !== undefined && { bootedAgain: hung }),
  });
}

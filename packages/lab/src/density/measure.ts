import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError, type LabErrorCode } from "../errors.ts";
import { atMost } from "../host/at-most.ts";
import type { SliceTimes } from "../ladder/slice.ts";
import { StandingVm } from "../ladder/standing-vm.ts";
import { twice } from "../load/interleaved.ts";
import { jobOf } from "../load/options.ts";
import type { Report } from "../step.ts";
import type { Vm } from "../vm/vm.ts";
import { densityRunOf } from "./density-run.ts";
import type { DensityOptions } from "./options.ts";
import { type DensityRecord, placeOf } from "./record.ts";
import { type DensitySlice, measureTogether } from "./slice.ts";
import type { DensityWay } from "./ways.ts";

/** VMs that boot at the same time: while one waits, another uses the processors. */
const AT_ONCE = 2;

const SETTLE_SECONDS = 0.3;

const fatal: ReadonlySet<LabErrorCode> = new Set([
  "SIPHON_NO_SPACE",
  "SIPHON_CLUSTER",
  "SIPHON_MISSING_PROGRAM",
  "SIPHON_PERMISSION",
]);

export interface DensityHooks {
  /** Boots a VM of a way, on the image of its number. */
  boot(way: DensityWay, number: number, signal: AbortSignal): Promise<Vm>;
  osdPids(): readonly number[];
  /** fio's output goes to `fio/` in it. */
  directory: string;
  report: Report;
  signal: AbortSignal;
}

/**
 * Measures ways in one block. For each number of VMs, in ascending order, it boots the missing ones. Then it puts all
 * VMs of one way under load while the others are stopped, through the ways in order and in reverse. If a VM hangs, all
 * VMs of its way are booted again, once per step. A way that fails is recorded, and the others continue.
 */
export async function measureDensityBlock(
  ways: readonly DensityWay[],
  block: number,
  options: DensityOptions,
  record: DensityRecord,
  hooks: DensityHooks,
): Promise<void> {
  await using fleets = new Fleets();
  const times: SliceTimes = { seconds: options.seconds / 2, settle: SETTLE_SECONDS };
  for (const count of options.vms) {
    const slices = new Map(ways.map((way) => [way, [] as DensitySlice[]]));
    const attempt = async (way: DensityWay, work: () => Promise<void>) => {
      hooks.signal.throwIfAborted();
      if (fleets.hasFailed(way)) return;
      const again = async (error: unknown) => {
        hooks.signal.throwIfAborted();
        if (!(error instanceof LabError) || !error.retryable || fatal.has(error.code)) throw error;
        await fleets.end(way);
        await grow(fleets.of(way), way, count, block, options, hooks);
        await work();
      };
      try {
        await work().catch(again);
      } catch (error) {
        hooks.signal.throwIfAborted();
        if (!(error instanceof LabError) || fatal.has(error.code)) throw error;
        for (const vms of options.vms.filter((each) => each >= count)) {
          record.fail(placeOf(way, vms).name, error.message);
        }
        await fleets.remove(way);
      }
    };
    for (const way of ways) await attempt(way, () => grow(fleets.of(way), way, count, block, options, hooks));
    for (const order of [ways, ways.toReversed()]) {
      for (const way of order) {
        await attempt(way, async () => {
          hooks.report(`${placeOf(way, count).title}: under load`);
          const vms = fleets.of(way);
          slices.get(way)!.push(await measureTogether(vms, times, hooks.osdPids(), hooks.signal));
        });
      }
    }
    for (const way of ways) {
      if (!fleets.hasFailed(way)) await keep(way, count, block, slices.get(way)!, options, record, hooks);
    }
  }
}

/** Boots VMs up to this number; each has had its first load before it is stopped. */
async function grow(
  fleet: StandingVm[],
  way: DensityWay,
  count: number,
  block: number,
  options: DensityOptions,
  { boot, report, signal }: DensityHooks,
): Promise<void> {
  const missing = Array.from({ length: count - fleet.length }, (_, index) => fleet.length + index);
  await atMost(AT_ONCE, missing, async (number) => {
    report(`${way.title}: booting VM ${number + 1} of ${count}`);
    const standing = await twice(async () => {
      const vm = await boot(way, number, signal);
      return StandingVm.start(vm, { filename: vm.device, ...jobOf(options, block) }, signal);
    });
    fleet.push(standing);
    await standing.end(signal);
    await standing.pause();
  });
}

async function keep(
  way: DensityWay,
  count: number,
  block: number,
  slices: readonly DensitySlice[],
  options: DensityOptions,
  record: DensityRecord,
  { directory }: DensityHooks,
): Promise<void> {
  const { name } = placeOf(way, count);
  const fio = join("fio", `${name}-${block + 1}.json`);
  await writeFile(join(directory, fio), slices.flatMap(({ outputs }) => outputs).join("\n"));
  const order = block * options.vms.length + options.vms.indexOf(count);
  const run = densityRunOf(slices, options.bs);
  record.add(name, { repeat: block, order, started: new Date().toISOString(), fio, ...run });
}

/** The VMs of each way. */
class Fleets implements AsyncDisposable {
  readonly #all = new Map<DensityWay, StandingVm[]>();
  readonly #failed = new Set<DensityWay>();

  of(way: DensityWay): StandingVm[] {
    const fleet = this.#all.get(way) ?? [];
    this.#all.set(way, fleet);
    return fleet;
  }

  hasFailed(way: DensityWay): boolean {
    return this.#failed.has(way);
  }

  async remove(way: DensityWay): Promise<void> {
    this.#failed.add(way);
    await this.end(way);
  }

  /** Ends all VMs of a way; new ones can be booted. */
  async end(way: DensityWay): Promise<void> {
    const fleet = this.#all.get(way) ?? [];
    this.#all.delete(way);
    await Promise.all(fleet.map((vm) => vm[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all.keys()].map((way) => this.remove(way)));
  }
}

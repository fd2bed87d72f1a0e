import { join } from "node:path";
import { LabError } from "../errors.ts";
import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { parseFio } from "../fio/result.ts";
import type { Turn } from "../load/interleaved.ts";
import { jobOf } from "../load/options.ts";
import type { Run } from "../results/schema.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import { renderCommand } from "../vm/arguments.ts";
import type { Vm } from "../vm/vm.ts";
import { FILL_SECONDS, loadInVm } from "./load-in-vm.ts";
import type { LadderOptions } from "./options.ts";
import type { VmKit } from "./prepare.ts";
import type { LadderRecord } from "./record.ts";
import { StandingVm } from "./standing-vm.ts";
import type { Target } from "./target.ts";

/** Boots the VMs of rungs, and runs loads in them. */
export class Measurer {
  readonly #kit: VmKit;
  readonly #target: Target;
  readonly #record: LadderRecord;
  readonly #options: LadderOptions;
  readonly #directory: string;
  /** Names of the rungs whose client was seen in the mode that it demands. */
  readonly #seenInMode = new Set<string>();

  constructor(kit: VmKit, target: Target, record: LadderRecord, options: LadderOptions, directory: string) {
    this.#kit = kit;
    this.#target = target;
    this.#record = record;
    this.#options = options;
    this.#directory = directory;
  }

  /** Boots a rung's VM, starts the ladder's load in it, and stops it. */
  async stand(rung: PlannedClimb, repeat: number, signal: AbortSignal): Promise<StandingVm> {
    const vm = await this.start(rung, signal);
    const filename = await this.device(vm, signal).catch(async (error) => {
      await vm[Symbol.asyncDispose]();
      throw error;
    });
    return StandingVm.start(vm, { filename, ...jobOf(this.#options, repeat) }, signal);
  }

  /** Boots a rung's VM and records its command. */
  async start(rung: PlannedClimb, signal: AbortSignal): Promise<Vm> {
    const { name } = rung.rung;
    const conf = await this.#target.clientConf(name, rung.settings.clientOptions);
    const vm = await this.#bootInMode(rung, conf.path, signal);
    this.#record.describe(name, renderCommand(vm.command), conf.text);
    return vm;
  }

  /**
   * Whether no other VM may run while this rung's VM boots: the OSDs tell modes of connections, not whose they are. Once
   * is enough, because mode and cluster stay the same in all blocks.
   */
  bootsAlone({ rung, settings }: PlannedClimb): boolean {
    return settings.clientOptions.ms_client_mode !== undefined && !this.#seenInMode.has(rung.name);
  }

  /** Boots a VM; if the rung requires a connection mode, verifies it with the OSDs at its first boot. */
  async #bootInMode(rung: PlannedClimb, conf: string, signal: AbortSignal): Promise<Vm> {
    const boot = () => this.#kit.boot(rung, this.#target, conf, signal);
    const demanded = rung.settings.clientOptions.ms_client_mode;
    if (!this.bootsAlone(rung)) return boot();
    const { result: vm, modes } = await this.#target.observeWireModes(boot);
    const others = [...(modes ?? [])].filter((mode) => mode !== demanded);
    if (others.length === 0) {
      this.#seenInMode.add(rung.rung.name);
      return vm;
    }
    await vm.shutdown();
    throw new LabError(
      "SIPHON_VM",
      `the client of ${rung.rung.name} demands ${demanded} mode, but the OSDs say that it got ${others.join(", ")}`,
    );
  }

  /**
   * Writes all data of the load from inside the guest: for an image with the guest's disk, whose partition for the load
   * is empty.
   */
  async fill(rung: PlannedClimb, signal: AbortSignal): Promise<void> {
    await using vm = await this.start(rung, signal);
    const filename = await this.device(vm, signal);
    const job: FioJob = {
      filename,
      rw: "write",
      blockSize: 4 * 2 ** 20,
      ioDepth: 16,
      size: this.#options.size,
    };
    parseFio(await vm.run(fioCommandLine(job), { timeoutMs: FILL_SECONDS * 1000, signal }));
    await vm.run("sync", { signal });
  }

  /** The device of loads, on which the bigger test creates a file system. */
  async device(vm: Vm, signal: AbortSignal): Promise<string> {
    return this.#kit.device(vm, signal);
  }

  /** Runs fio in a VM and reads its figures; its own output is kept under the label. */
  async load(
    vm: Vm,
    label: string,
    job: FioJob,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<Omit<Run, "outlier">> {
    const osdPids = this.#target.osdPids();
    const file = join("fio", `${label}.json`);
    return { ...turn, ...(await loadInVm(vm, job, { osdPids, directory: this.#directory, file, signal })) };
  }
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { fioCommand, parseFio } from "../fio/fio.ts";
import type { Run } from "../results/schema.ts";
import type { PlannedRung } from "../rungs/plan.ts";
import { renderCommand } from "../vm/arguments.ts";
import type { Vm } from "../vm/vm.ts";
import { CpuSampler } from "./cpu-sampler.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderRecord } from "./record.ts";
import type { Target } from "./target.ts";

export type PlannedClimb = Extract<PlannedRung, { status: "planned" }>;

/** Boots a VM with a rung's settings on the target's image. */
export type BootRung = (rung: PlannedClimb, conf: string, signal: AbortSignal) => Promise<Vm>;

/** Which of all runs it is. */
export interface Turn {
  repeat: number;
  order: number;
}

/** Measures rungs: a VM booted anew for each run, fio in it, the CPU times of QEMU and the OSDs beside it. */
export class Measurer {
  readonly #boot: BootRung;
  readonly #target: Target;
  readonly #record: LadderRecord;
  readonly #options: LadderOptions;
  readonly #directory: string;

  constructor(boot: BootRung, target: Target, record: LadderRecord, options: LadderOptions, directory: string) {
    this.#boot = boot;
    this.#target = target;
    this.#record = record;
    this.#options = options;
    this.#directory = directory;
  }

  /** One run of the ladder's workload on a rung. */
  async measure(rung: PlannedClimb, turn: Turn, signal: AbortSignal): Promise<Omit<Run, "outlier">> {
    await using vm = await this.start(rung, signal);
    const { rw, bs, iodepth, size, seconds, warmup, seed } = this.#options;
    const job = { rw, bs, iodepth, size, seconds, warmup, seed: seed + turn.order, device: vm.device };
    return this.load(vm, `${rung.rung.name}-${turn.repeat + 1}`, fioCommand(job), seconds + warmup, turn, signal);
  }

  /** Boots a rung's VM and notes how that is done. */
  async start(rung: PlannedClimb, signal: AbortSignal): Promise<Vm> {
    const { name } = rung.rung;
    const conf = await this.#target.clientConf(name, rung.settings.clientOptions);
    const vm = await this.#boot(rung, conf.path, signal);
    this.#record.describe(name, renderCommand(vm.command), conf.text);
    return vm;
  }

  /** Runs fio in a VM and reads its figures; `expectedSeconds` is how long it should take. */
  async load(
    vm: Vm,
    label: string,
    command: string,
    expectedSeconds: number,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<Omit<Run, "outlier">> {
    const started = new Date().toISOString();
    using sampler = new CpuSampler(vm.pid, this.#target.osdPids());
    const timeoutMs = (expectedSeconds * 3 + 60) * 1000;
    const { stdout, stderr, exitCode } = await vm.run(command, { timeoutMs, signal });
    const fio = join("fio", `${label}.json`);
    await writeFile(join(this.#directory, fio), stdout);
    const figures = parseFio(stdout, { exitCode, stderr });
    const cpu = sampler.during(figures.seconds);
    if (!cpu) throw new LabError("SIPHON_VM", `the CPU times of QEMU could not be read while ${label} ran`);
    return { ...turn, started, ...figures, cpu, fio };
  }
}

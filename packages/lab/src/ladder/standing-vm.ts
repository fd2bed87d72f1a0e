import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../errors.ts";
import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { type FioFigures, type FioOutput, parseFio } from "../fio/result.ts";
import { within } from "../host/within.ts";
import { GuestClock } from "../vm/clock.ts";
import type { Vm } from "../vm/vm.ts";

const PID_FILE = "/tmp/siphon-load.pid";

/** Longer than any block; a signal ends the load. */
const FOR_EVER_SECONDS = 24 * 3600;

/** Milliseconds until fio puts load on the disk. */
const STARTING_MS = 120_000;

/** Milliseconds for fio to print its results. */
const ENDING_MS = 60_000;

/** Milliseconds for a VM to stop, which waits for its disk. */
const STOPPING_MS = 60_000;

/** After a resume: the requests in flight at the stop are done by then. */
const FLOWING_IOS = 8;
const FLOWING_MS = 60_000;

/** More blocks than fio reads to inspect the device. */
const FLOWING_BLOCKS = 64;

/**
 * A VM with a load, stopped between its slices. The guest's clock stops meanwhile, so fio sees a block of slices as one
 * run.
 */
export class StandingVm implements AsyncDisposable {
  readonly vm: Vm;
  /** The load at the start, and the current one. */
  readonly #first: FioJob;
  #job: FioJob;
  #fio: Promise<FioOutput> | undefined;
  /** Seconds under load, and the start of the last period. */
  #ran = 0;
  #since: number | undefined;

  private constructor(vm: Vm, job: FioJob) {
    this.vm = vm;
    this.#first = job;
    this.#job = job;
  }

  /**
   * Starts the load in a VM, runs the job's warm-up and stops the VM. The result owns the VM.
   *
   * @throws LabError as parseFio(); SIPHON_TIMEOUT
   */
  static async start(vm: Vm, job: FioJob, signal: AbortSignal): Promise<StandingVm> {
    await using undo = new AsyncDisposableStack();
    undo.use(vm);
    const clock = await GuestClock.start(vm);
    const standing = new StandingVm(vm, job);
    await standing.#begin(signal);
    await clock.check();
    await standing.pause();
    undo.move();
    return standing;
  }

  /**
   * Starts a different load in a stopped VM after the last one has ended, and stops the VM again.
   *
   * @throws LabError as parseFio(); SIPHON_TIMEOUT
   */
  async load(change: Partial<FioJob>, signal: AbortSignal): Promise<void> {
    this.#job = { ...this.#first, ...change };
    this.#ran = 0;
    await this.vm.resume();
    await this.#begin(signal);
    await this.pause();
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { vm } = this;
    const job = { ...this.#job, seconds: FOR_EVER_SECONDS };
    const before = await vm.bytesDone();
    // Not every guest has a program that finds processes by name.
    const command = `echo $$ >${PID_FILE}; exec ${fioCommandLine(job)}`;
    const fio = vm.run(command, { timeoutMs: FOR_EVER_SECONDS * 1000, signal });
    fio.catch(() => {});
    this.#fio = fio;
    await flows(vm, before + FLOWING_BLOCKS * job.blockSize, fio, signal);
    this.#since = performance.now();
    // fio began its warm-up earlier, so the warm-up is over.
    await sleep((job.warmupSeconds ?? 0) * 1000 + 100, undefined, { signal });
  }

  /**
   * Resumes it, and waits until I/Os flow, and this many seconds more: the queue fills again, and a write gets the
   * image's lock from another VM.
   */
  async resume(settleSeconds: number, signal: AbortSignal): Promise<void> {
    const before = await this.iosDone();
    await this.vm.resume();
    this.#since = performance.now();
    const deadline = this.#since + FLOWING_MS;
    while ((await this.iosDone()) < before + FLOWING_IOS) {
      if (performance.now() > deadline) {
        const message = `the load did nothing for ${FLOWING_MS / 1000} s after it went on`;
        throw new LabError("SIPHON_GUEST", message, { retryable: true });
      }
      await sleep(10, undefined, { signal });
    }
    await sleep(settleSeconds * 1000, undefined, { signal });
  }

  /** Stops it, which waits for the disk's requests in flight. */
  async pause(): Promise<void> {
    const what = "the disk did not finish what it had to do";
    await within(this.vm.pause(), { timeoutMs: STOPPING_MS, what });
    if (this.#since !== undefined) this.#ran += (performance.now() - this.#since) / 1000;
    this.#since = undefined;
  }

  /** Completed I/Os of the load, computed from bytes, because QEMU may merge or split requests. */
  async iosDone(): Promise<number> {
    return (await this.vm.bytesDone()) / this.#job.blockSize;
  }

  /**
   * Ends the load and returns fio's output and figures.
   *
   * @throws LabError as parseFio(); SIPHON_GUEST when fio did not measure the time that the VM ran: the guest's clock was wrong
   */
  async end(signal: AbortSignal): Promise<{ output: string; figures: FioFigures }> {
    await this.vm.resume();
    const resumed = performance.now();
    await this.vm.run(`kill -INT $(cat ${PID_FILE})`, { timeoutMs: ENDING_MS, signal });
    const said = await within(this.#fio!, { timeoutMs: ENDING_MS, signal, what: "fio did not end" });
    // The signal to end arrived in between.
    const half = (performance.now() - resumed) / 2000;
    const figures = parseFio(said, { interrupted: true });
    this.#checkClock(figures.seconds + (this.#job.warmupSeconds ?? 0) - half, half);
    return { output: said.stdout, figures };
  }

  /** fio started slightly before it was detected. */
  #checkClock(guest: number, uncertainty: number): void {
    const host = this.#ran;
    if (Math.abs(guest - host) <= host / 10 + CLOCK_UNCERTAINTY + uncertainty) return;
    throw new LabError(
      "SIPHON_GUEST",
      `the guest's clock ran at ${(guest / host).toFixed(2)} times the host's`,
      {
        retryable: true,
        hint: "an emulated guest on a busy host can get its clock wrong; its figures do not count",
      },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.vm[Symbol.asyncDispose]();
  }
}

/** The part of a stopped VM that measurements need. */
export type StoodVm = Pick<StandingVm, "resume" | "pause" | "iosDone" | "load" | "end"> &
  AsyncDisposable & { readonly vm: Pick<Vm, "pids"> };

/** Seconds. */
const CLOCK_UNCERTAINTY = 3;

/** Waits until a VM's disk has moved this many bytes; throws fio's error if fio ends before. */
async function flows(vm: Vm, bytes: number, fio: Promise<FioOutput>, signal: AbortSignal): Promise<void> {
  const ended = fio.then((said) => {
    parseFio(said);
    throw new LabError("SIPHON_PROGRAM_FAILED", "fio ended before it was told to");
  });
  ended.catch(() => {});
  const deadline = performance.now() + STARTING_MS;
  while ((await Promise.race([vm.bytesDone(), ended])) < bytes) {
    if (performance.now() > deadline) {
      throw new LabError("SIPHON_TIMEOUT", `fio moved nothing within ${STARTING_MS / 1000} s`, {
        retryable: true,
      });
    }
    await Promise.race([sleep(50, undefined, { signal }), ended]);
  }
}

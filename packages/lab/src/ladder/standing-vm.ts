import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../errors.ts";
import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { type FioFigures, type FioOutput, parseFio } from "../fio/result.ts";
import { within } from "../host/within.ts";
import { GuestClock } from "../vm/clock.ts";
import type { Vm } from "../vm/vm.ts";

const PID_FILE = "/tmp/siphon-load.pid";

/** Longer than any block; the load is ended by a signal. */
const FOR_EVER_SECONDS = 24 * 3600;

/** How long fio may take until it loads the disk. */
const STARTING_MS = 120_000;

/** How long it may take to print what it measured. */
const ENDING_MS = 60_000;

/** How long a VM may take to stop: it waits for its disk. */
const STOPPING_MS = 60_000;

/** After a VM went on: what had been under way when it was stopped was done then. */
const FLOWING_IOS = 8;
const FLOWING_MS = 60_000;

/** So many blocks are no longer what fio reads to look at the device. */
const FLOWING_BLOCKS = 64;

/**
 * A VM with a load in it, stopped between the slices of time in which it is measured. Time in the guest stands still meanwhile, so
 * the load does not notice: to fio a block of slices is one run.
 */
export class StandingVm implements AsyncDisposable {
  readonly vm: Vm;
  /** The load that it was started with, and the one that it has now. */
  readonly #first: FioJob;
  #job: FioJob;
  #fio: Promise<FioOutput> | undefined;
  /** Seconds that it has run under load, and when the last of them began. */
  #ran = 0;
  #since: number | undefined;

  private constructor(vm: Vm, job: FioJob) {
    this.vm = vm;
    this.#first = job;
    this.#job = job;
  }

  /**
   * Starts the load in a VM, lets it run for the job's warm-up and stops the VM. The VM belongs to what is returned.
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
   * Starts a load that differs so from the first, once the last one has ended, in a VM that is stopped; and stops it again.
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
    // fio began its warm-up a moment earlier; it is over for certain.
    await sleep((job.warmupSeconds ?? 0) * 1000 + 100, undefined, { signal });
  }

  /**
   * Lets it run on, and waits until I/Os flow and this many seconds longer: requests fill the queue again, a write gets the image's lock from
   * the VM that had it.
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

  /** Waits until what is under way at the disk is done. */
  async pause(): Promise<void> {
    const what = "the disk did not finish what it had to do";
    await within(this.vm.pause(), { timeoutMs: STOPPING_MS, what });
    if (this.#since !== undefined) this.#ran += (performance.now() - this.#since) / 1000;
    this.#since = undefined;
  }

  /** I/Os that the load has finished so far. QEMU may join some and cut others, so bytes are counted. */
  async iosDone(): Promise<number> {
    return (await this.vm.bytesDone()) / this.#job.blockSize;
  }

  /**
   * Ends the load and gives what fio measured, in its own output and as figures.
   *
   * @throws LabError as parseFio(); SIPHON_GUEST when fio did not measure the time that the VM ran: the guest's clock was wrong
   */
  async end(signal: AbortSignal): Promise<{ output: string; figures: FioFigures }> {
    await this.vm.resume();
    const resumed = performance.now();
    await this.vm.run(`kill -INT $(cat ${PID_FILE})`, { timeoutMs: ENDING_MS, signal });
    const said = await within(this.#fio!, { timeoutMs: ENDING_MS, signal, what: "fio did not end" });
    // It was told to end at some moment between.
    const half = (performance.now() - resumed) / 2000;
    const figures = parseFio(said, { interrupted: true });
    this.#checkClock(figures.seconds + (this.#job.warmupSeconds ?? 0) - half, half);
    return { output: said.stdout, figures };
  }

  /** fio started a moment before we saw it. */
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

/** The part of a standing VM that its measurements need. */
export type StoodVm = Pick<StandingVm, "resume" | "pause" | "iosDone" | "load" | "end"> &
  AsyncDisposable & { readonly vm: Pick<Vm, "pids"> };

/** Seconds. */
const CLOCK_UNCERTAINTY = 3;

/** Waits until a VM's disk has moved this many bytes; throws what fio says when it ends instead. */
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

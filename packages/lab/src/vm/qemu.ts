import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cephEnvironment } from "../ceph/environment.ts";
import { LabError } from "../errors.ts";
import { lastWords } from "../host/command.ts";
import { Daemon } from "../host/daemon.ts";
import { PatientSignal } from "../host/patience.ts";
import { isRunning, type ProcessId, processId } from "../host/proc.ts";
import { platformOf } from "../roots/platform-of.ts";
import type { Resource } from "../state/resource.ts";
import { type QemuCommand, vmFiles } from "./arguments.ts";
import { qemuEndedError } from "./failure.ts";
import { qemuPatience } from "./qemu-patience.ts";
import { Qmp } from "./qmp.ts";

/** A running QEMU process, own or reopened, with its control connection. */
export class Qemu {
  readonly id: ProcessId;
  /** Resolves when it has ended, with the error to throw if it was still needed. */
  readonly ended: Promise<LabError>;
  readonly #resource: Resource;
  #qmp: Qmp | undefined;
  #over = false;

  private constructor(resource: Resource, id: ProcessId, ended: Promise<LabError>) {
    this.#resource = resource;
    this.id = id;
    this.ended = ended;
    void ended.then(() => {
      this.#over = true;
    });
  }

  /** Starts QEMU in the resource's directory; throws QEMU's error if it ends at once. */
  static async start(
    resource: Resource,
    { env, program, options }: QemuCommand,
    signal?: AbortSignal,
  ): Promise<Qemu> {
    const daemon = await Daemon.start({
      name: "qemu",
      command: program,
      from: platformOf(resource),
      args: options.flat(),
      env: { ...removed, ...env },
      resource,
    });
    const ended = daemon.exited.then((exit) =>
      qemuEndedError(resource, { exit, lastWords: daemon.lastWords() }),
    );
    // If it has already ended, no process has this identity.
    const id = processId(daemon.pid) ?? { pid: daemon.pid, startTime: -1 };
    const qemu = new Qemu(resource, id, ended);
    using opening = new PatientSignal(qemuPatience(id.pid), "QEMU did not answer");
    const signals = signal ? [signal, opening.signal] : [opening.signal];
    try {
      await qemu.#connect(AbortSignal.any(signals));
      return qemu;
    } catch (error) {
      await qemu.quit();
      throw opening.over === undefined ? error : notOpened(opening.over);
    }
  }

  /** Reopens the QEMU of a kept VM; undefined if it has ended. */
  static async find(
    resource: Resource,
    id: ProcessId,
    { timeoutMs = 10_000 } = {},
  ): Promise<Qemu | undefined> {
    if (!isRunning(id)) return undefined;
    const qemu = new Qemu(resource, id, endOfStranger(resource, id));
    try {
      await qemu.#connect(AbortSignal.timeout(timeoutMs));
      return qemu;
    } catch (error) {
      throw isRunning(id) ? notOpened(`within ${timeoutMs / 1000} s`) : error;
    }
  }

  get qmp(): Qmp {
    if (!this.#qmp) throw new LabError("SIPHON_VM", "QEMU has no control connection yet");
    return this.#qmp;
  }

  /** Awaits `work`, but throws at once if QEMU ends before. */
  async whileRunning<T>(work: Promise<T>): Promise<T> {
    const ended = this.ended.then((error) => {
      throw error;
    });
    ended.catch(() => {});
    return Promise.race([work, ended]);
  }

  /** Awaits `work` on the control connection; if that ended with QEMU, throws the reason for QEMU's end. */
  async orWhyEnded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      // Its end is reported a moment after the connection's.
      const why = this.qmp.closed ? await Promise.race([this.ended, sleep(TOLD_MS)]) : undefined;
      throw why ?? error;
    }
  }

  /**
   * Ends it in order, or by force after `graceMs`. An orderly end flushes its disks and removes its watches, so that
   * the images can be removed at once.
   */
  async quit(graceMs = 5_000): Promise<void> {
    if (this.#qmp && !this.#qmp.closed) {
      // Not awaited: QEMU may close the connection before it answers.
      this.#qmp.execute("quit").catch(() => {});
      const deadline = Date.now() + graceMs;
      while (!this.#over && Date.now() < deadline) await sleep(10);
    } else await this.#resource.endProcesses({ graceMs });
    this.disconnect();
    await this.#resource.endProcesses();
    // `ended` resolves later: readers of the resource's files must be done when this returns.
    await this.#gone();
  }

  /** Leaves it running. */
  disconnect(): void {
    this.#qmp?.[Symbol.dispose]();
  }

  /** QEMU creates the socket early, listens a moment later, and answers only when its disks are open. */
  async #connect(signal: AbortSignal): Promise<void> {
    const socket = this.#resource.path(vmFiles.qmp);
    while (isRunning(this.id)) {
      signal.throwIfAborted();
      this.#qmp = await Qmp.connect(socket, { signal }).catch(() => undefined);
      if (this.#qmp) return;
      await sleep(10);
    }
    throw await this.#gone();
  }

  /** Waits for its end. Awaiting `ended` alone would not keep this process alive. */
  async #gone(): Promise<LabError> {
    while (!this.#over) await sleep(10);
    return this.ended;
  }
}

/** Variables that would override librbd, allocator or cluster of QEMU's command line. */
const removed = { ...cephEnvironment, LD_PRELOAD: undefined, LD_LIBRARY_PATH: undefined };

const TOLD_MS = 3_000;

function notOpened(when: string): LabError {
  const message = `QEMU did not answer ${when}: it may still be opening its disk`;
  return new LabError("SIPHON_VM", message, {
    retryable: true,
    hint: "check that the cluster can be reached: ceph status; or that no other siphon uses this VM",
  });
}

/** Detects the end of a process that is not our child by polling. */
async function endOfStranger(resource: Resource, id: ProcessId): Promise<LabError> {
  while (isRunning(id)) await sleep(200, undefined, { ref: false });
  const stdout = readFileSync(resource.path("qemu.out"), "utf8");
  return qemuEndedError(resource, { exit: undefined, lastWords: lastWords({ stdout, stderr: "" }) });
}

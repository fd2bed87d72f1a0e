import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../errors.ts";
import { lastWords, type RunOptions, type RunResult, run } from "../../host/command.ts";
import { RESOURCE_VARIABLE } from "../../state/resource.ts";
import { shellQuote } from "../../vm/escape.ts";
import type { GuestControl, GuestRunOptions } from "../control.ts";
import { type SshTarget, sshArguments } from "./connection.ts";
import { SshMaster } from "./master.ts";

export interface SshControlOptions extends SshTarget {
  /** The VM's directory. */
  directory: string;
  /** Resolves when the guest's QEMU has ended, with the reason; all waits for the guest then end. */
  qemuEnded: Promise<LabError>;
  /** Milliseconds for the login to succeed. */
  timeoutMs: number;
  /** The guest has the key from the start, so a rejected key is final. */
  refusalIsFinal?: boolean;
  signal?: AbortSignal;
}

/** A guest controlled over ssh. */
export class SshControl implements GuestControl {
  readonly #options: SshControlOptions;
  readonly #qemuEnded: Promise<never>;
  #master: SshMaster;

  private constructor(options: SshControlOptions) {
    this.#options = options;
    this.#qemuEnded = options.qemuEnded.then((error) => {
      throw error;
    });
    this.#qemuEnded.catch(() => {});
    this.#master = masterOf(options);
  }

  /**
   * Waits for the guest to boot and accept the login.
   *
   * @throws LabError SIPHON_TIMEOUT, SIPHON_GUEST or QEMU's end
   */
  static async connect(options: SshControlOptions): Promise<SshControl> {
    const control = new SshControl(options);
    try {
      await control.#connected();
      return control;
    } catch (error) {
      await control[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(command: string, options: GuestRunOptions = {}): Promise<RunResult> {
    return this.#ssh("ssh", [...this.#master.arguments, command], command, options);
  }

  /** Copies files of this host into a directory of the guest, under their base names. */
  async copyIn(files: string[], directory: string, options: GuestRunOptions = {}): Promise<void> {
    const pack = "tar -chPf - --transform='s|.*/||' ";
    const unpack = `mkdir -p ${shellQuote(directory)} && tar -xzf - -C ${shellQuote(directory)}`;
    const pipeline = `${pack} ${files.map(shellQuote).join(" ")} | gzip -1 | "$@"`;
    const args = ["-c", pipeline, "sh", "ssh", ...this.#master.arguments, unpack];
    const result = await this.#ssh("sh", args, `copying into ${directory}`, options);
    if (result.exitCode !== 0) {
      throw new LabError(
        "SIPHON_GUEST",
        `cannot copy files into the guest's ${directory}: ${lastWords(result)}`,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master[Symbol.asyncDispose]();
  }

  async #connected(): Promise<void> {
    const { timeoutMs, refusalIsFinal, signal } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const stop = signal ? AbortSignal.any([timeout, signal]) : timeout;
    let said = "no answer";
    while (!(await Promise.race([this.#master.accepted(stop), this.#qemuEnded]))) {
      await this.#master[Symbol.asyncDispose]();
      if (!stop.aborted) said = (await this.#master.ended) || said;
      signal?.throwIfAborted();
      if (refusalIsFinal && REFUSED.test(said)) throw refused(said);
      if (timeout.aborted) throw REFUSED.test(said) ? refused(said) : notLetIn(timeoutMs, said);
      await Promise.race([sleep(500), this.#qemuEnded]);
      this.#master = masterOf(this.#options);
    }
  }

  async #ssh(program: string, args: string[], what: string, options: GuestRunOptions): Promise<RunResult> {
    const { timeoutMs = 60_000, signal } = options;
    const { directory } = this.#options;
    const left = new AbortController();
    const runOptions: RunOptions = {
      cwd: directory,
      env: { [RESOURCE_VARIABLE]: directory },
      timeoutMs,
      signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
      anyExitCode: true,
    };
    try {
      const result = await Promise.race([run(program, args, runOptions), this.#qemuEnded]);
      // ssh itself exits with 255, unless the connection is up: then it is the command's exit code.
      if (result.exitCode === 255 && !this.#master.open) throw await this.#broken(result.stderr);
      return result;
    } catch (cause) {
      if (!(cause instanceof LabError) || cause.code !== "SIPHON_TIMEOUT") throw cause;
      const message = `the guest did not finish "${what.slice(0, 80)}" within ${timeoutMs / 1000} s`;
      throw new LabError("SIPHON_TIMEOUT", message, { cause, retryable: true });
    } finally {
      left.abort();
    }
  }

  async #broken(stderr: string): Promise<LabError> {
    const why = stderr.trim() || (await this.#master.ended);
    return new LabError("SIPHON_GUEST", `the ssh connection to the guest broke: ${why}`, {
      hint: "look at the guest's console: it may have panicked, hung or shut down",
    });
  }
}

function masterOf(options: SshControlOptions): SshMaster {
  return new SshMaster(sshArguments(options), "127.0.0.1", options.directory);
}

const REFUSED = /Permission denied/;

function refused(said: string): LabError {
  return new LabError("SIPHON_GUEST", `the guest does not accept siphon's ssh key: ${said}`, {
    hint: "the image must run cloud-init, or hold the key already, as those of siphon image build-guest do",
  });
}

function notLetIn(timeoutMs: number, said: string): LabError {
  const message = `the guest did not let siphon in over ssh within ${timeoutMs / 1000} s: ${said}`;
  return new LabError("SIPHON_TIMEOUT", message, {
    hint: "it must boot from its disk, and take its address by DHCP or have 10.0.2.15; look at its console",
  });
}

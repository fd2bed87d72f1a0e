import { once } from "node:events";
import { Interrupted } from "./failure.ts";

/**
 * Ctrl-C, SIGTERM and SIGHUP as an AbortSignal: everything that was started then unwinds in order. A second signal
 * ends siphon at once; `siphon clean` then removes what is left.
 */
class Interruption {
  readonly #controller = new AbortController();
  readonly #signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

  arm(): void {
    for (const name of this.#signals) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Standard output failed: its reader has exited, or its disk is full. */
  outputFailed(error: Error): void {
    if (!this.signal.aborted) this.#controller.abort(error);
  }

  /** Resolves once the signal is aborted. */
  async happened(): Promise<void> {
    // An AbortSignal does not keep the process alive.
    const alive = setInterval(() => {}, 2 ** 30);
    if (!this.signal.aborted) await once(this.signal, "abort");
    clearInterval(alive);
  }

  /** Stops handling a signal, which another handler takes over. */
  leave(name: "SIGHUP"): void {
    process.off(name, this.#onSignal);
  }

  disarm(): void {
    for (const name of this.#signals) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.signal.aborted) {
      process.stderr.write("\nsiphon: stopped at once; remove the remains with: siphon clean\n");
      process.exit(130);
    }
    process.stderr.write("\nsiphon: stopping, and cleaning up (again to stop at once)\n");
    this.#controller.abort(new Interrupted(`interrupted by ${name}`));
  };
}

export const interruption = new Interruption();

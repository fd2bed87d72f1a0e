import { LabError } from "../errors.ts";

/** Aborts work that makes no progress, without a limit on the total time. */
export class StallGuard implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** Aborted by the caller's signal, and with SIPHON_TIMEOUT after a stall. */
  readonly signal: AbortSignal;

  /** `what` is for the message: `filling the image p/i`. */
  constructor(what: string, { signal, seconds = 120 }: { signal?: AbortSignal; seconds?: number } = {}) {
    this.signal = signal ? AbortSignal.any([signal, this.#controller.signal]) : this.#controller.signal;
    this.#timer = setTimeout(() => {
      this.#controller.abort(
        new LabError("SIPHON_TIMEOUT", `${what} came no further for ${seconds} s`, {
          hint: "is the cluster healthy, and is there room? Look with: ceph status",
        }),
      );
    }, seconds * 1000);
  }

  /** Call it at each progress. */
  progress(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

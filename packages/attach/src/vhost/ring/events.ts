import { closeQuietly, signalEvent, takeEvent } from "../native/event.ts";
import { type PollHandle, whenReadable } from "../native/libc.ts";

/** A ring's eventfds, each optional: for the driver's kicks, for notifications, and for errors. It owns them. */
export class RingEvents implements Disposable {
  readonly #kicked: () => void;
  #kick: number | undefined;
  #call: number | undefined;
  #error: number | undefined;
  #poll: PollHandle | undefined;

  /** @param kicked called for each kick while it listens */
  constructor(kicked: () => void) {
    this.#kicked = () => {
      if (takeEvent(this.#kick!)) kicked();
    };
  }

  /** Whether there is an eventfd for kicks. */
  get kicks(): boolean {
    return this.#kick !== undefined;
  }

  /** The eventfd is not listened to yet. */
  setKick(fd: number | undefined): void {
    this.pause();
    if (this.#kick !== undefined) closeQuietly(this.#kick);
    this.#kick = fd;
  }

  setCall(fd: number | undefined): void {
    if (this.#call !== undefined) closeQuietly(this.#call);
    this.#call = fd;
  }

  setError(fd: number | undefined): void {
    if (this.#error !== undefined) closeQuietly(this.#error);
    this.#error = fd;
  }

  listen(): void {
    if (this.#kick !== undefined) this.#poll ??= whenReadable(this.#kick, this.#kicked);
  }

  /** Ignores kicks until `listen`. */
  pause(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  /** Signals that requests were returned. */
  call(): void {
    if (this.#call !== undefined) signalEvent(this.#call);
  }

  /** Signals that the ring is no longer served. */
  fail(): void {
    if (this.#error !== undefined) signalEvent(this.#error);
  }

  [Symbol.dispose](): void {
    this.setKick(undefined);
    this.setCall(undefined);
    this.setError(undefined);
  }
}

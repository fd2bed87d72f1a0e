import { closeQuietly, signalEvent, takeEvent } from "../native/event.ts";
import { type PollHandle, whenReadable } from "../native/libc.ts";

/** A ring's eventfds, each of which may be missing: the driver's kicks, and what it is told by. It owns them. */
export class RingEvents implements Disposable {
  readonly #kicked: () => void;
  #kick: number | undefined;
  #call: number | undefined;
  #error: number | undefined;
  #poll: PollHandle | undefined;

  /** @param kicked is called, while there is listening, when the driver has kicked */
  constructor(kicked: () => void) {
    this.#kicked = () => {
      if (takeEvent(this.#kick!)) kicked();
    };
  }

  /** Whether the driver kicks at all. */
  get kicks(): boolean {
    return this.#kick !== undefined;
  }

  /** Not listened to yet. */
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

  /** Hears no kicks until `listen`. */
  pause(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  /** Requests were given back. */
  call(): void {
    if (this.#call !== undefined) signalEvent(this.#call);
  }

  /** The ring is not served any more. */
  fail(): void {
    if (this.#error !== undefined) signalEvent(this.#error);
  }

  [Symbol.dispose](): void {
    this.setKick(undefined);
    this.setCall(undefined);
    this.setError(undefined);
  }
}

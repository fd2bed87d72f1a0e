import type { Operation } from "./operation.ts";

/** Limits of requests and bytes in flight; further requests wait. */
export interface IoLimits {
  readonly requests: number;
  readonly bytes: number;
}

export const defaultLimits: IoLimits = { requests: 1024, bytes: 128 * 2 ** 20 };

/** Admits requests in the order of their arrival, within the limits. */
export class Admission {
  readonly #limits: IoLimits;
  readonly #enter: (operation: Operation) => void;
  #requests = 0;
  #bytes = 0;
  #waiting: Operation[] = [];

  constructor(limits: IoLimits, enter: (operation: Operation) => void) {
    this.#limits = limits;
    this.#enter = enter;
  }

  get underWay(): number {
    return this.#requests;
  }

  add(operation: Operation): void {
    if (this.#waiting.length > 0 || !this.#fits(operation)) {
      this.#waiting.push(operation);
      return;
    }
    this.#admit(operation);
  }

  done(operation: Operation): void {
    this.#requests--;
    this.#bytes -= operation.bytes;
    if (this.#waiting.length > 0) this.#admitWaiting();
  }

  /** A request larger than the limit goes alone. */
  #fits({ bytes }: Operation): boolean {
    if (this.#requests === 0) return true;
    return this.#requests < this.#limits.requests && this.#bytes + bytes <= this.#limits.bytes;
  }

  #admit(operation: Operation): void {
    this.#requests++;
    this.#bytes += operation.bytes;
    this.#enter(operation);
  }

  #admitWaiting(): void {
    const waiting = this.#waiting;
    let admitted = 0;
    while (admitted < waiting.length && this.#fits(waiting[admitted]!)) this.#admit(waiting[admitted++]!);
    waiting.splice(0, admitted);
  }
}

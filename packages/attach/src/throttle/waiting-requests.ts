import type { ImageRequest } from "@siphon/rbd/engine";

/** Requests in order of arrival, with their operations. A growing ring, so that a request allocates nothing. */
export class WaitingRequests {
  length = 0;
  #requests: (ImageRequest | undefined)[] = new Array(16).fill(undefined);
  #kinds = new Uint8Array(16);
  /** Sequence number over both directions. */
  #turns = new Float64Array(16);
  #first = 0;

  push(request: ImageRequest, kind: number, turn: number): void {
    if (this.length === this.#requests.length) this.#grow();
    const at = (this.#first + this.length++) & (this.#requests.length - 1);
    this.#requests[at] = request;
    this.#kinds[at] = kind;
    this.#turns[at] = turn;
  }

  get request(): ImageRequest {
    return this.#requests[this.#first]!;
  }

  get kind(): number {
    return this.#kinds[this.#first]!;
  }

  /** Infinity if nothing waits. */
  get turn(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : this.#turns[this.#first]!;
  }

  shift(): void {
    this.#requests[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#requests.length - 1);
    this.length--;
  }

  #grow(): void {
    const size = this.#requests.length;
    const order = Array.from({ length: size }, (_, i) => (this.#first + i) & (size - 1));
    const [kinds, turns] = [new Uint8Array(2 * size), new Float64Array(2 * size)];
    kinds.set(order.map((at) => this.#kinds[at]!));
    turns.set(order.map((at) => this.#turns[at]!));
    this.#requests = [...order.map((at) => this.#requests[at]), ...new Array(size).fill(undefined)];
    this.#kinds = kinds;
    this.#turns = turns;
    this.#first = 0;
  }
}

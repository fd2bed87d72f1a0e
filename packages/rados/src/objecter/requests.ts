import type { ObjectRequest } from "./request.ts";

/** Requests by transaction id, in order of submission. */
export interface Requests {
  readonly size: number;
  get(tid: number): ObjectRequest | undefined;
  set(tid: number, request: ObjectRequest): unknown;
  delete(tid: number): boolean;
  /** Requests may be added and removed during the iteration. */
  values(): Iterable<ObjectRequest>;
}

/** Adds a request. */
export function hold(holder: Requests, request: ObjectRequest): void {
  holder.set(request.dispatch.tid, request);
  request.dispatch.holder = holder;
}

/**
 * A table of requests for the data path: a hash table with open addressing, in which consecutive ids do not collide. A
 * `Map` reallocates its table every few hundred changes, and old tables refer to new ones, so that once one is in V8's
 * old generation, all later ones survive until a full collection.
 */
export class RequestTable implements Requests {
  /** At most half full, so that a search is short. */
  #slots: (ObjectRequest | undefined)[] = emptySlots(leastSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(tid: number): ObjectRequest | undefined {
    return this.#slots[this.#find(tid)];
  }

  set(tid: number, request: ObjectRequest): void {
    let slot = this.#find(tid);
    if (this.#slots[slot] === undefined) {
      if (2 * ++this.#size > this.#slots.length) {
        this.#grow();
        slot = this.#find(tid);
      }
    }
    this.#slots[slot] = request;
  }

  delete(tid: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let free = this.#find(tid);
    if (slots[free] === undefined) return false;
    this.#size--;
    // Entries up to the next free slot move forward if possible.
    for (let slot = (free + 1) & mask; slots[slot] !== undefined; slot = (slot + 1) & mask) {
      const home = slots[slot]!.dispatch.tid & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      slots[free] = slots[slot];
      free = slot;
    }
    slots[free] = undefined;
    return true;
  }

  *values(): Generator<ObjectRequest> {
    const now = this.#slots.filter((request) => request !== undefined);
    const entries = now.map((request) => ({ request, tid: request.dispatch.tid }));
    for (const { request, tid } of entries.sort((a, b) => a.tid - b.tid)) {
      if (this.get(tid) === request) yield request;
    }
  }

  /** The slot of the request with that id, or the free slot for it. */
  #find(tid: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = tid & mask;
    for (let at = slots[slot]; at !== undefined && at.dispatch.tid !== tid; at = slots[slot]) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(2 * before.length);
    for (const request of before) {
      if (request !== undefined) this.#slots[this.#find(request.dispatch.tid)] = request;
    }
  }
}

/** A power of 2. */
const leastSlots = 64;

function emptySlots(count: number): (ObjectRequest | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}

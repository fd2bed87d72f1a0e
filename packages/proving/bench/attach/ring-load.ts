import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { DriverRing } from "../../../attach/test/support/driver-ring.ts";
import type { FrontEnd } from "../../../attach/test/support/front-end.ts";
import { blkType } from "../../../attach/test/support/guest-driver.ts";

export interface RingLoadOptions {
  type: "read" | "write";
  /** Bytes of a request. */
  size: number;
  /** Requests in flight, on each queue; up to the queue's size. */
  depth: number;
  /** Bytes used, from the start of the disk. */
  span: number;
}

/**
 * Keeps a number of random requests in flight on every queue of a vhost-user-blk back-end, as a guest's driver would: chains are written
 * once, and only the sector changes.
 */
export class RingLoad {
  requests = 0;
  errors = 0;
  /** In nanoseconds. */
  latency: RecordableHistogram = createHistogram({ figures: 3 });
  readonly #frontEnd: FrontEnd;
  readonly #options: RingLoadOptions;
  #running = true;
  #underWay = 0;
  readonly #idle = Promise.withResolvers<void>();

  constructor(frontEnd: FrontEnd, options: RingLoadOptions) {
    this.#frontEnd = frontEnd;
    this.#options = options;
    for (const [index, ring] of frontEnd.queues.entries()) this.#start(ring, index);
  }

  /** Resets the counts. */
  reset(): void {
    this.requests = 0;
    this.latency.reset();
  }

  /** Starts no more requests; resolves when the last one is done. */
  stop(): Promise<void> {
    this.#running = false;
    if (this.#underWay === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  #start(ring: DriverRing, queue: number): void {
    const { type, size, depth, span } = this.#options;
    const { memory, dataAt } = this.#frontEnd;
    const blocks = Math.floor(span / size);
    const slotBytes = 4096 + Math.ceil(size / 4096) * 4096;
    const slotOf = new Map<number, number>();
    const begun = new Map<number, number>();
    const offer = (head: number): void => {
      const sector = (Math.floor(Math.random() * blocks) * size) / 512;
      memory.writeUInt32LE(sector, slotOf.get(head)! + 8);
      begun.set(head, performance.now());
      this.#underWay++;
      ring.offer(head);
    };
    ring.whenCalled(() => {
      ring.collect((head) => {
        this.#underWay--;
        this.requests++;
        this.latency.record(Math.max(1, Math.round((performance.now() - begun.get(head)!) * 1e6)));
        if (memory[slotOf.get(head)! + 16] !== 0) this.errors++;
        if (this.#running) offer(head);
      });
      ring.kickIfWanted();
      if (!this.#running && this.#underWay === 0) this.#idle.resolve();
    });
    for (let slot = 0; slot < depth; slot++) {
      const at = dataAt + (queue * depth + slot) * slotBytes;
      memory.writeUInt32LE(blkType[type], at);
      const header = { at, length: 16, write: false };
      const data = { at: at + 4096, length: size, write: type === "read" };
      const head = ring.chain([header, data, { at: at + 16, length: 1, write: true }], true, true);
      slotOf.set(head, at);
      offer(head);
    }
    ring.kickIfWanted();
  }
}

/** Bytes of guest memory that a load needs. */
export function loadMemory({ size, depth }: RingLoadOptions, queues: number): number {
  return queues * depth * (4096 + Math.ceil(size / 4096) * 4096) + 4096;
}

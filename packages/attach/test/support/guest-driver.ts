import type { DriverRing } from "./driver-ring.ts";
import type { FrontEnd } from "./front-end.ts";

export const blkType = { read: 0, write: 1, flush: 4, getId: 8, discard: 11, writeZeroes: 13 } as const;

/** The end of a request. */
export interface Outcome {
  /** 0 good, 1 I/O error, 2 unsupported; 255 when nothing was written there. */
  status: number;
  /** Bytes that the device says it wrote. */
  written: number;
}

/** How a request's bytes are laid out for the device. */
export interface Layout {
  indirect?: boolean;
  /** Lengths of the buffers that the data lies in; they take turns. */
  pieces?: number[];
}

/** A simple guest driver on one ring: requests as promises. The data of a request begins at a place of the guest's memory. */
export class GuestDriver {
  readonly #frontEnd: FrontEnd;
  readonly ring: DriverRing;
  readonly #waiting = new Map<number, { at: number; done: (outcome: Outcome) => void }>();
  /** Where the queue's headers begin, and the next one there. */
  readonly #slotsAt: number;
  #nextSlot = 0;

  constructor(frontEnd: FrontEnd, queue = 0) {
    this.#frontEnd = frontEnd;
    this.ring = frontEnd.queues[queue]!;
    this.#slotsAt = frontEnd.dataAt + queue * headerAreaBytes;
    this.ring.whenCalled(() => this.#collect());
  }

  read(offset: number, dataAt: number, length: number, layout?: Layout): Promise<Outcome> {
    return this.request(blkType.read, offset, [{ at: dataAt, length, write: true }], layout);
  }

  write(offset: number, dataAt: number, length: number, layout?: Layout): Promise<Outcome> {
    return this.request(blkType.write, offset, [{ at: dataAt, length, write: false }], layout);
  }

  flush(): Promise<Outcome> {
    return this.request(blkType.flush, 0, []);
  }

  /** Ranges in bytes, written to the guest's memory at `dataAt`. */
  ranges(
    type: number,
    ranges: { offset: number; length: number; flags?: number }[],
    dataAt: number,
  ): Promise<Outcome> {
    for (const [index, { offset, length, flags = 0 }] of ranges.entries()) {
      this.#frontEnd.memory.writeBigUInt64LE(BigInt(offset / 512), dataAt + 16 * index);
      this.#frontEnd.memory.writeUInt32LE(length / 512, dataAt + 16 * index + 8);
      this.#frontEnd.memory.writeUInt32LE(flags, dataAt + 16 * index + 12);
    }
    return this.request(type, 0, [{ at: dataAt, length: 16 * ranges.length, write: false }]);
  }

  request(
    type: number,
    offset: number,
    data: { at: number; length: number; write: boolean }[],
    { indirect = true, pieces }: Layout = {},
  ): Promise<Outcome> {
    const { memory } = this.#frontEnd;
    const at = this.#slotsAt + this.#nextSlot;
    this.#nextSlot = (this.#nextSlot + slotBytes) % headerAreaBytes;
    memory.writeUInt32LE(type, at);
    memory.writeUInt32LE(0, at + 4);
    memory.writeBigUInt64LE(BigInt(Math.floor(offset / 512)), at + 8);
    memory[at + 16] = 255;
    const buffers = [
      { at, length: 16, write: false },
      ...data.flatMap((each) => cut(each, pieces)),
      { at: at + 16, length: 1, write: true },
    ];
    const head = this.ring.chain(buffers, indirect);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#waiting.set(head, { at: at + 16, done: resolve });
    this.ring.offer(head);
    this.ring.kickIfWanted();
    return promise;
  }

  /** Goes on waiting for what another driver object of the same ring had begun. */
  adopt(earlier: GuestDriver): void {
    for (const [head, waiting] of earlier.#waiting) this.#waiting.set(head, waiting);
    this.#collect();
  }

  #collect(): void {
    this.ring.collect((head, written) => {
      const waiting = this.#waiting.get(head);
      this.#waiting.delete(head);
      waiting?.done({ status: this.#frontEnd.memory[waiting.at]!, written });
    });
  }
}

/** Headers and status bytes: room for this many requests at a time. */
const slots = 256;
const slotBytes = 32;
/** Bytes of the memory from `FrontEnd.dataAt` on that headers take, for each queue. */
export const headerAreaBytes = slots * slotBytes;

function cut(
  { at, length, write }: { at: number; length: number; write: boolean },
  pieces: number[] | undefined,
): { at: number; length: number; write: boolean }[] {
  if (pieces === undefined) return [{ at, length, write }];
  const parts: { at: number; length: number; write: boolean }[] = [];
  for (let position = 0; position < length; ) {
    const piece = Math.min(pieces[parts.length % pieces.length]!, length - position);
    parts.push({ at: at + position, length: piece, write });
    position += piece;
  }
  return parts;
}

import { closeQuietly, signalEvent, takeEvent } from "../../src/vhost/native/event.ts";
import { type PollHandle, whenReadable } from "../../src/vhost/native/libc.ts";

/** A descriptor's fields. */
export interface Descriptor {
  address: number;
  length: number;
  flags: number;
  next: number;
}

/** A buffer in the guest's memory. */
export interface Piece {
  at: number;
  length: number;
  /** Whether the device writes to it. */
  write: boolean;
}

export const descriptorFlag = { next: 1, write: 2, indirect: 4 } as const;

/** The guest whose memory a ring is in. */
export interface DriverMemory {
  readonly memory: Buffer;
  guestAddress(at: number): number;
}

/** Descriptors, then available entries in a page or more, then used ones; each ring has indirect tables of its own behind. */
export function ringBytes(size: number): number {
  return 16 * size + 4096 + 4096 + 8 * size + indirectEntries * 16 * size;
}

/** Descriptors in a chain at most. */
const indirectEntries = 8;

/** A guest driver's side of a split ring. */
export class DriverRing implements Disposable {
  readonly size: number;
  readonly kickFd: number;
  readonly callFd: number;
  readonly free: number[] = [];
  /** How many times the device was kicked, and how often it called. */
  kicks = 0;
  calls = 0;
  readonly #memory: DriverMemory;
  readonly #at: number;
  readonly #available: Uint16Array;
  readonly #used: Uint16Array;
  readonly #usedElements: Uint32Array;
  readonly #eventIdx: boolean;
  #poll: PollHandle | undefined;
  #nextAvailable = 0;
  #kicked = 0;
  #seenUsed = 0;

  constructor(
    memory: DriverMemory,
    {
      at,
      size,
      eventIdx,
      kick,
      call,
    }: { at: number; size: number; eventIdx: boolean; kick: number; call: number },
  ) {
    const { buffer, byteOffset } = memory.memory;
    this.size = size;
    this.kickFd = kick;
    this.callFd = call;
    this.#memory = memory;
    this.#at = at;
    this.#eventIdx = eventIdx;
    this.#available = new Uint16Array(buffer, byteOffset + at + 16 * size, 3 + size);
    const usedAt = byteOffset + at + 16 * size + 4096;
    this.#used = new Uint16Array(buffer, usedAt, 3 + 4 * size);
    this.#usedElements = new Uint32Array(buffer, usedAt, 1 + 2 * size);
    for (let head = size - 1; head >= 0; head--) this.free.push(head);
  }

  get usedIdx(): number {
    return Atomics.load(this.#used, 1);
  }

  /** Goes on where another driver object of the same ring left off. */
  resume(earlier: DriverRing): void {
    this.#nextAvailable = earlier.#nextAvailable;
    this.#seenUsed = earlier.#seenUsed;
    this.free.splice(0, this.free.length, ...earlier.free);
    for (const [head, indexes] of earlier.#chained) this.#chained.set(head, indexes);
  }

  /** Writes a descriptor of the ring's own table. */
  setDescriptor(index: number, descriptor: Descriptor): void {
    writeDescriptor(this.#memory.memory, this.#at + 16 * index, descriptor);
  }

  /** Where the indirect table of a head is in the memory. */
  indirectTableAt(head: number): number {
    return this.#at + 16 * this.size + 8192 + 8 * this.size + head * indirectEntries * 16;
  }

  /**
   * Chains buffers: all the device reads, then all it writes. Takes a free head, which `collect` gives back unless it is kept, to be
   * offered again and again.
   */
  chain(buffers: Piece[], indirect: boolean, kept = false): number {
    const { memory } = this.#memory;
    const head = this.free.pop()!;
    const table = this.indirectTableAt(head);
    const indexes = indirect
      ? buffers.map((_, index) => index)
      : buffers.map((_, i) => (i === 0 ? head : this.free.pop()!));
    for (const [i, { at, length, write }] of buffers.entries()) {
      const last = i === buffers.length - 1;
      const flags = (last ? 0 : descriptorFlag.next) | (write ? descriptorFlag.write : 0);
      const descriptor = {
        address: this.#memory.guestAddress(at),
        length,
        flags,
        next: last ? 0 : indexes[i + 1]!,
      };
      if (indirect) writeDescriptor(memory, table + 16 * i, descriptor);
      else this.setDescriptor(indexes[i]!, descriptor);
    }
    if (indirect) {
      const address = this.#memory.guestAddress(table);
      const length = 16 * buffers.length;
      this.setDescriptor(head, { address, length, flags: descriptorFlag.indirect, next: 0 });
    }
    if (!kept) this.#chained.set(head, indirect ? [head] : indexes);
    return head;
  }

  /** Makes a head available; the device sees it at once. */
  offer(head: number): void {
    this.#available[2 + (this.#nextAvailable & (this.size - 1))] = head;
    this.#nextAvailable = (this.#nextAvailable + 1) & 0xffff;
    Atomics.store(this.#available, 1, this.#nextAvailable);
  }

  /** Sets the available index to what no driver would. */
  setAvailableIndex(index: number): void {
    this.#nextAvailable = index & 0xffff;
    Atomics.store(this.#available, 1, this.#nextAvailable);
  }

  /** Kicks if the device wants it. */
  kickIfWanted(): void {
    const before = this.#kicked;
    this.#kicked = this.#nextAvailable;
    const wanted = this.#eventIdx
      ? ((this.#nextAvailable - Atomics.load(this.#used, 2 + 4 * this.size) - 1) & 0xffff) <
        ((this.#nextAvailable - before) & 0xffff)
      : (Atomics.load(this.#used, 0) & 1) === 0;
    if (!wanted) return;
    this.kicks++;
    signalEvent(this.kickFd);
  }

  /** Takes what the device gave back, and asks to be called for the next one. */
  collect(each: (head: number, written: number) => void): void {
    for (;;) {
      while (this.#seenUsed !== Atomics.load(this.#used, 1)) {
        const at = 1 + 2 * (this.#seenUsed & (this.size - 1));
        this.#seenUsed = (this.#seenUsed + 1) & 0xffff;
        const head = this.#usedElements[at]!;
        const chained = this.#chained.get(head);
        if (chained !== undefined) this.free.push(...chained);
        this.#chained.delete(head);
        each(head, this.#usedElements[at + 1]!);
      }
      if (!this.#eventIdx) return;
      Atomics.store(this.#available, 2 + this.size, this.#seenUsed);
      if (this.#seenUsed === Atomics.load(this.#used, 1)) return;
    }
  }

  /** Calls the listener whenever the device calls. */
  whenCalled(listener: () => void): void {
    this.#poll?.close();
    this.#poll = whenReadable(this.callFd, () => {
      if (!takeEvent(this.callFd)) return;
      this.calls++;
      listener();
    });
  }

  [Symbol.dispose](): void {
    this.#poll?.close();
    closeQuietly(this.kickFd);
    closeQuietly(this.callFd);
  }

  readonly #chained = new Map<number, number[]>();
}

function writeDescriptor(memory: Buffer, at: number, { address, length, flags, next }: Descriptor): void {
  memory.writeBigUInt64LE(BigInt(address), at);
  memory.writeUInt32LE(length, at + 8);
  memory.writeUInt16LE(flags, at + 12);
  memory.writeUInt16LE(next, at + 14);
}

import type { SplitRing } from "./split-ring.ts";

/*
 * The part of a ring's state that outlives this process: one area per ring, in memory that the front-end keeps. Source:
 * "Inflight I/O tracking" in QEMU's docs/interop/vhost-user.rst.
 *   u64 features, u16 version (1; 0 means fresh), u16 descriptors, u16 last_batch_head, u16 used_idx, then for each descriptor
 *   u8 inflight, 5 bytes, u16 next, u64 counter
 */
const headBytes = 16;
const entryBytes = 16;
const areaAlignment = 64;
const currentVersion = 1;

const versionAt = 8;
const descriptorsAt = 10;
const lastBatchAt = 12;
const usedIdxAt = 14;

/** Bytes of one ring's area. */
export function inflightAreaBytes(queueSize: number): number {
  return Math.ceil((headBytes + entryBytes * queueSize) / areaAlignment) * areaAlignment;
}

/**
 * The record of one ring's requests in flight. At any instant another process can take over: a head is marked before
 * its request begins, and unmarked after the driver has seen it used.
 */
export class InflightArea {
  /** Number of entries, one per descriptor. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #words: Uint16Array;
  readonly #counters: Uint32Array;
  readonly #batch: number[] = [];
  #counter = 0;

  constructor(area: ArrayBuffer, queueSize: number) {
    this.#bytes = new Uint8Array(area);
    this.#words = new Uint16Array(area, 0, area.byteLength >> 1);
    this.#counters = new Uint32Array(area, 0, area.byteLength >> 2);
    this.size = queueSize;
  }

  /** Takes over from the ring's previous server: returns the heads in flight, in the order of their start. */
  resume(ring: SplitRing): number[] {
    const words = this.#words;
    const { usedIdx } = ring;
    if (words[versionAt >> 1] === 0) {
      this.#bytes.fill(0);
      words[versionAt >> 1] = currentVersion;
      words[descriptorsAt >> 1] = this.size;
      words[usedIdxAt >> 1] = usedIdx;
      return [];
    }
    this.#settleLastBatch((usedIdx - words[usedIdxAt >> 1]!) & 0xffff);
    Atomics.store(words, usedIdxAt >> 1, usedIdx);
    const heads: number[] = [];
    for (let head = 0; head < this.size; head++) {
      if (this.#bytes[headBytes + head * entryBytes] === 1) heads.push(head);
    }
    const order = new Map(heads.map((head) => [head, this.#counterOf(head)]));
    heads.sort((a, b) => order.get(a)! - order.get(b)!);
    if (heads.length > 0) this.#counter = order.get(heads.at(-1)!)! + 1;
    return heads;
  }

  begin(head: number): void {
    const at = (headBytes + head * entryBytes) >> 2;
    this.#counters[at + 2] = this.#counter >>> 0;
    this.#counters[at + 3] = Math.floor(this.#counter / 0x100000000);
    this.#counter++;
    Atomics.store(this.#bytes, at << 2, 1);
  }

  /** Removes a head whose request no server can carry out. */
  drop(head: number): void {
    this.#bytes[headBytes + head * entryBytes] = 0;
  }

  /** The head is in the next batch for the used ring. */
  giveBack(head: number): void {
    const words = this.#words;
    words[(headBytes + head * entryBytes + 6) >> 1] = words[lastBatchAt >> 1]!;
    words[lastBatchAt >> 1] = head;
    this.#batch.push(head);
  }

  /** The driver has seen the batch. */
  published(usedIdx: number): void {
    const batch = this.#batch;
    for (let index = 0; index < batch.length; index++) {
      this.#bytes[headBytes + batch[index]! * entryBytes] = 0;
    }
    batch.length = 0;
    Atomics.store(this.#words, usedIdxAt >> 1, usedIdx);
  }

  /** The driver saw the last batch, but some of its heads may still be marked. */
  #settleLastBatch(length: number): void {
    let head = this.#words[lastBatchAt >> 1]!;
    for (let left = Math.min(length, this.size); left > 0 && head < this.size; left--) {
      this.#bytes[headBytes + head * entryBytes] = 0;
      head = this.#words[(headBytes + head * entryBytes + 6) >> 1]!;
    }
  }

  #counterOf(head: number): number {
    const at = (headBytes + head * entryBytes) >> 2;
    return this.#counters[at + 3]! * 0x100000000 + this.#counters[at + 2]!;
  }
}

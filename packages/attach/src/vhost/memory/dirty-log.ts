import { Mapping, sealLength } from "../native/mapping.ts";
import { type LogDescription, malformed } from "../protocol/payloads.ts";
import type { Scatter } from "./scatter.ts";

/*
 * Source: "Migration" in QEMU's docs/interop/vhost-user.rst. One bit for each 4 KiB of the guest's address space, from
 * address 0, lowest bit of a byte first. The front-end takes and clears bits at any time, and reads the memory after
 * that.
 */
const pageBytes = 4096;
const pagesPerByte = 8;

/** The guest's changed pages, for a front-end that migrates the guest. */
export class DirtyLog implements Disposable {
  readonly #mapping: Mapping;
  readonly #bits: Uint8Array;

  /**
   * The descriptor can be closed afterwards.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL if the memory is shorter than described, or its owner could truncate it
   */
  constructor(fd: number, { size, offset }: LogDescription) {
    if (size === 0 || size > mostBytes) throw malformed(`a log of ${size} bytes`);
    sealLength(fd);
    this.#mapping = new Mapping(fd, offset, size);
    this.#bits = new Uint8Array(this.#mapping.view(0, size));
  }

  /** Whether it has a bit for each page of a range. */
  covers(address: number, length: number): boolean {
    return address + length <= this.#bits.length * pagesPerByte * pageBytes;
  }

  /**
   * Marks a range as changed. Call this after the change: the front-end clears a bit first and then reads the page, and
   * must find the change there. Therefore a bit is set again even if it seems to be set.
   */
  mark(address: number, length: number): void {
    if (length === 0) return;
    const last = Math.floor((address + length - 1) / pageBytes);
    for (let page = Math.floor(address / pageBytes); page <= last; ) {
      const byte = Math.floor(page / pagesPerByte);
      // Beyond the end of the log the guest no longer has memory.
      if (byte >= this.#bits.length) break;
      const first = page % pagesPerByte;
      const count = Math.min(pagesPerByte - first, last - page + 1);
      Atomics.or(this.#bits, byte, ((1 << count) - 1) << first);
      page += count;
    }
  }

  /** Marks all pieces of a scatter as changed. */
  markAll(scatter: Scatter): void {
    for (let piece = 0; piece < scatter.pieces; piece++) {
      this.mark(scatter.addressOf(piece), scatter.lengthOf(piece));
    }
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}

/** Enough for 64 TiB, more than any processor's page tables reach today. */
const mostBytes = 2 ** 31;

import { closeSync, fstatSync, ftruncateSync } from "node:fs";
import { AttachError } from "../../errors.ts";
import { type Address, checked, lastErrno, libc, viewAt } from "./libc.ts";

const protRead = 1;
const protWrite = 2;
const mapShared = 1;
const noReserve = 0x4000;
const pageBytes = 4096;

const memfdCloseOnExec = 1;
const memfdAllowSealing = 2;

const addSeals = 1033;
const getSeals = 1034;
const sealShrink = 2;
const sealGrow = 4;

/** Anonymous memory to share with another process by its descriptor. Its length is sealed. */
export function createSharedMemory(name: string, length: number): number {
  const flags = memfdCloseOnExec | memfdAllowSealing;
  const fd = checked(libc().memfd_create(name, flags), "create shared memory");
  try {
    ftruncateSync(fd, length);
    sealLength(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Seals the length of shared memory. Otherwise another process could truncate it, and access beyond its end would kill
 * this process.
 *
 * @throws AttachError SIPHON_ATTACH_PROTOCOL if it cannot be sealed
 */
export function sealLength(fd: number): void {
  if (libc().fcntl(fd, addSeals, sealShrink | sealGrow) >= 0) return;
  const seals = libc().fcntl(fd, getSeals, 0);
  if (seals >= 0 && (seals & sealShrink) !== 0) return;
  throw new AttachError("SIPHON_ATTACH_PROTOCOL", "the owner of shared memory could truncate it");
}

/**
 * Memory shared through a descriptor, mapped into this process. Views are plain ArrayBuffers. Unmapping detaches them
 * first, so that code that still holds one finds no bytes instead of crashing the process.
 */
export class Mapping implements Disposable {
  /** Address of the first requested byte, in this process. */
  readonly address: Address;
  readonly length: number;
  readonly #base: Address;
  readonly #mapped: number;
  /** Views that may still be in use. */
  #views: WeakRef<ArrayBuffer>[] = [];
  #sweepAt = leastSwept;
  #gone = false;

  /**
   * Maps `length` bytes from `offset` on; the descriptor can be closed afterwards.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL if the file is shorter: access beyond its end would kill the process
   */
  constructor(fd: number, offset: number, length: number) {
    const { size } = fstatSync(fd);
    if (length <= 0 || offset < 0 || offset + length > size) {
      throw new AttachError(
        "SIPHON_ATTACH_PROTOCOL",
        `shared memory of ${size} bytes cannot hold ${length} bytes at ${offset}`,
      );
    }
    // Files on huge pages are mapped from offset 0, others from a page boundary.
    const at = hugePages(fd) ? 0 : offset - (offset % pageBytes);
    this.#mapped = offset - at + length;
    const base = libc().mmap(0, this.#mapped, protRead | protWrite, mapShared | noReserve, fd, at);
    if (typeof base === "bigint") {
      throw new AttachError("SIPHON_ATTACH_NATIVE", `cannot map ${length} bytes (${lastErrno()})`);
    }
    this.#base = base;
    this.address = base + (offset - at);
    this.length = length;
  }

  /** A view of a part of the mapping. */
  view(offset: number, length: number): ArrayBuffer {
    if (this.#gone || offset < 0 || length < 0 || offset + length > this.length) {
      throw new RangeError(`${length} bytes at ${offset} exceed a mapping of ${this.length} bytes`);
    }
    const view = viewAt(this.address + offset, length);
    this.#views.push(new WeakRef(view));
    if (this.#views.length >= this.#sweepAt) {
      this.#views = this.#views.filter((each) => each.deref() !== undefined);
      this.#sweepAt = Math.max(leastSwept, 2 * this.#views.length);
    }
    return view;
  }

  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const view of this.#views) view.deref()?.transfer(0);
    libc().munmap(this.#base, this.#mapped);
  }
}

/** Number of views before a sweep: a front-end may set up its rings any number of times. */
const leastSwept = 256;

/** Files of hugetlbfs are recognised by their block size. */
function hugePages(fd: number): boolean {
  return fstatSync(fd).blksize > pageBytes;
}

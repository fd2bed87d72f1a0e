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

/** Memory without a name, to share with another process by its descriptor. Its length is final. */
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
 * Makes the length of shared memory final: who has it too could cut it short otherwise, and touching what is not there any more
 * ends the process.
 *
 * @throws AttachError SIPHON_ATTACH_PROTOCOL for what cannot be sealed
 */
export function sealLength(fd: number): void {
  if (libc().fcntl(fd, addSeals, sealShrink | sealGrow) >= 0) return;
  const seals = libc().fcntl(fd, getSeals, 0);
  if (seals >= 0 && (seals & sealShrink) !== 0) return;
  throw new AttachError("SIPHON_ATTACH_PROTOCOL", "the owner of shared memory could truncate it");
}

/**
 * Memory shared through a descriptor, mapped into this process. Views are plain ArrayBuffers; unmapping empties them first, so
 * that code which still holds one finds no bytes instead of killing the process.
 */
export class Mapping implements Disposable {
  /** Address of the first requested byte, in this process. */
  readonly address: Address;
  readonly length: number;
  readonly #base: Address;
  readonly #mapped: number;
  /** Those that somebody may still hold. */
  #views: WeakRef<ArrayBuffer>[] = [];
  #sweepAt = leastSwept;
  #gone = false;

  /**
   * Maps `length` bytes from `offset` on; the descriptor can be closed afterwards.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL when the file is shorter: touching what is not there would end the process
   */
  constructor(fd: number, offset: number, length: number) {
    const { size } = fstatSync(fd);
    if (length <= 0 || offset < 0 || offset + length > size) {
      throw new AttachError(
        "SIPHON_ATTACH_PROTOCOL",
        `shared memory of ${size} bytes cannot hold ${length} bytes at ${offset}`,
      );
    }
    // Files on huge pages take no other offset than 0, and ordinary ones whole pages only.
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

  /** A part of it; within it. */
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

/** A front-end may set its rings up again and again. */
const leastSwept = 256;

/** Files of the kernel's hugetlbfs say so by their block size. */
function hugePages(fd: number): boolean {
  return fstatSync(fd).blksize > pageBytes;
}

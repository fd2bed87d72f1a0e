import type { Secret } from "@siphon/wire";
import { errno } from "@siphon/wire";
import type { ImageOperations } from "../io/image-operations.ts";
import type { ImageRequest } from "../io/image-request.ts";
import { DiscardRequest, SectorRead } from "./encrypted-read.ts";
import { EncryptedWrite, type WrittenSectors } from "./encrypted-write.ts";
import type { LuksVolume } from "./luks-volume.ts";
import { SectorCipher } from "./sector-cipher.ts";

export interface EncryptedImageOptions {
  /**
   * Granularity of discards in bytes: whole objects. Smaller discards do nothing, because zeros that remain in an
   * object would be decrypted. Default: discards do nothing.
   */
  readonly discardUnit?: number;
}

/**
 * The decrypted view of an encrypted image: takes the same requests, encrypts writes and decrypts reads. Sectors that
 * were never written read as zeros, as in librbd. A write of part of a sector reads the rest first; writes to the same
 * sectors are serialized with it.
 */
export class EncryptedImage implements ImageOperations {
  /** Bytes of a sector. */
  readonly sectorBytes: number;
  /** Where the data begins in the encrypted image, in bytes. */
  readonly dataOffset: number;
  readonly #lower: ImageOperations;
  readonly #sectors: WrittenSectors;
  readonly #discardUnit: number;
  readonly #reads: SectorRead[] = [];
  readonly #writes: EncryptedWrite[] = [];
  readonly #running = new Set<EncryptedWrite>();
  #waiting: EncryptedWrite[] = [];
  /** Number of partial-sector writes that run or wait. */
  #partial = 0;

  /**
   * @param key may be wiped afterwards; or a cipher made from it
   * @internal
   */
  constructor(
    lower: ImageOperations,
    volume: LuksVolume,
    key: Secret | SectorCipher,
    options: EncryptedImageOptions = {},
  ) {
    const { sectorBytes, dataOffset, firstSector } = volume;
    this.sectorBytes = sectorBytes;
    this.dataOffset = dataOffset;
    this.#lower = lower;
    this.#sectors = {
      ...{ lower, sectorBytes, dataOffset },
      cipher: key instanceof SectorCipher ? key : new SectorCipher(key.bytes, sectorBytes),
      sectorAt: (offset) => firstSector + offset / 512,
      read: (request) => this.read(request),
      release: (write) => this.#release(write),
    };
    this.#discardUnit = options.discardUnit ?? 0;
  }

  /** Size of the data, in bytes: whole sectors. */
  get size(): number {
    const bytes = Math.max(0, this.#lower.size - this.dataOffset);
    return bytes - (bytes % this.sectorBytes);
  }

  get readOnly(): boolean {
    return this.#lower.readOnly;
  }

  read(request: ImageRequest): void {
    if (this.#clip(request)) (this.#reads.pop() ?? new SectorRead(this.#sectors, this.#reads)).begin(request);
  }

  write(request: ImageRequest): void {
    if (this.#clip(request)) this.#admit(this.#writeOf(request, false));
  }

  /** Written as encrypted zeros, which every reader decrypts to zeros. */
  writeZeroes(request: ImageRequest): void {
    if (this.#clip(request)) this.#admit(this.#writeOf(request, true));
  }

  discard(request: ImageRequest): void {
    if (!this.#clip(request)) return;
    const unit = this.#discardUnit;
    const start = unit === 0 ? 0 : Math.ceil(request.offset / unit) * unit;
    const end = unit === 0 ? 0 : Math.floor((request.offset + request.length) / unit) * unit;
    if (start < end) this.#lower.discard(new DiscardRequest(request, this.dataOffset + start, end - start));
    else completeLater(request, 0);
  }

  flush(request: ImageRequest): void {
    this.#lower.flush(request);
  }

  #release(write: EncryptedWrite): void {
    this.#running.delete(write);
    if (write.isPartial) this.#partial--;
    this.#writes.push(write);
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const next of waiting) this.#startOrWait(next);
  }

  #writeOf(request: ImageRequest, isZeros: boolean): EncryptedWrite {
    const write = this.#writes.pop() ?? new EncryptedWrite(this.#sectors);
    write.prepare(request, isZeros);
    return write;
  }

  #admit(write: EncryptedWrite): void {
    if (write.isPartial) this.#partial++;
    this.#startOrWait(write);
  }

  #startOrWait(write: EncryptedWrite): void {
    if (this.#partial > 0 && this.#mustWait(write)) {
      this.#waiting.push(write);
      return;
    }
    this.#running.add(write);
    write.start();
  }

  #mustWait(write: EncryptedWrite): boolean {
    for (const other of this.#running) if (write.collides(other)) return true;
    // Writes keep their order, as in the image below: the later of two writes to a sector wins.
    for (const other of this.#waiting) if (write.overlaps(other)) return true;
    return false;
  }

  /** Truncates the request at the end of the image; false if it is already completed. */
  #clip(request: ImageRequest): boolean {
    const { size } = this;
    if (request.offset < 0 || request.length < 0 || (request.offset >= size && request.length > 0)) {
      completeLater(request, -errno.EINVAL);
      return false;
    }
    request.length = Math.min(request.length, size - request.offset);
    if (request.length > 0) return true;
    completeLater(request, 0);
    return false;
  }
}

function completeLater(request: ImageRequest, result: number): void {
  request.result = result;
  request.error = undefined;
  setImmediate(() => request.completed());
}

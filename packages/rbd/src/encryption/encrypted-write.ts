import { ImageRequest } from "../io/image-request.ts";
import { giveSectors, noSectors, takeSectors } from "./sector-buffers.ts";
import type { SectorHost } from "./sector-host.ts";

/** The encrypted image whose sectors are written. */
export interface WrittenSectors extends SectorHost {
  /** Reads decrypted bytes. */
  read(request: ImageRequest): void;
  /** A write is done; writes that waited for it may begin. */
  release(write: EncryptedWrite): void;
}

/**
 * Encrypts a write in chunks: gathers the bytes, reads the missing parts of the sectors at both ends, encrypts and
 * writes. Reused.
 */
export class EncryptedWrite extends ImageRequest {
  /** Whether it writes part of a sector, whose rest must be kept. */
  isPartial = false;
  readonly #image: WrittenSectors;
  readonly #rest: RestOfSector;
  #outer!: ImageRequest;
  #isZeros = false;
  /** The sectors touched, as offsets in the data. */
  #start = 0;
  #end = 0;
  /** The current chunk. */
  #at = 0;
  #chunk = noSectors;
  #chunkLength = 0;
  /** Partial sectors of the chunk to read first, as offsets in the data; at most two. */
  readonly #toRead: number[] = [];

  constructor(image: WrittenSectors) {
    super();
    this.#image = image;
    this.#rest = new RestOfSector((result, error) => {
      if (result < 0) this.#finish(result, error);
      else this.#readRest();
    });
  }

  prepare(outer: ImageRequest, isZeros: boolean): void {
    const { sectorBytes } = this.#image;
    const end = outer.offset + outer.length;
    this.#outer = outer;
    this.#isZeros = isZeros;
    this.#start = outer.offset - (outer.offset % sectorBytes);
    this.#end = Math.ceil(end / sectorBytes) * sectorBytes;
    this.isPartial = this.#start !== outer.offset || this.#end !== end;
  }

  /** Whether two writes conflict: one would write back data that the other replaces. */
  collides(other: EncryptedWrite): boolean {
    return (this.isPartial || other.isPartial) && this.overlaps(other);
  }

  overlaps(other: EncryptedWrite): boolean {
    return this.#start < other.#end && other.#start < this.#end;
  }

  start(): void {
    this.#at = this.#start;
    this.#beginChunk();
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    this.#chunk.copy(into, at, position, position + length);
  }

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    this.#at += this.#chunkLength;
    if (this.result < 0 || this.#at === this.#end) this.#finish(this.result, this.error);
    else this.#beginChunk();
  }

  #beginChunk(): void {
    const { sectorBytes } = this.#image;
    this.#chunkLength = Math.min(chunkBytes, this.#end - this.#at);
    if (this.#chunk.length < this.#chunkLength) this.#chunk = takeSectors(this.#chunkLength);
    const { offset, length } = this.#outer;
    const chunkEnd = this.#at + this.#chunkLength;
    const last = chunkEnd - sectorBytes;
    if (this.#at < offset) this.#toRead.push(this.#at);
    if (chunkEnd > offset + length && this.#toRead[0] !== last) this.#toRead.push(last);
    this.#readRest();
  }

  #readRest(): void {
    const sector = this.#toRead.pop();
    if (sector === undefined) this.#writeChunk();
    else this.#rest.begin(this.#image, sector, this.#chunk, sector - this.#at);
  }

  #writeChunk(): void {
    const { cipher, dataOffset, lower } = this.#image;
    const { offset, length } = this.#outer;
    const from = Math.max(offset, this.#at);
    const to = Math.min(offset + length, this.#at + this.#chunkLength);
    if (this.#isZeros) this.#chunk.fill(0, from - this.#at, to - this.#at);
    else this.#outer.fill(this.#chunk, from - this.#at, from - offset, to - from);
    cipher.encrypt(this.#chunk, 0, this.#chunkLength, this.#image.sectorAt(this.#at));
    this.offset = dataOffset + this.#at;
    this.length = this.#chunkLength;
    lower.write(this);
  }

  #finish(result: number, error: Error | undefined): void {
    const outer = this.#outer;
    this.#toRead.length = 0;
    outer.result = result;
    outer.error = error;
    giveSectors(this.#chunk);
    this.#chunk = noSectors;
    this.#image.release(this);
    outer.completed();
  }
}

/** Bytes encrypted and written at a time. */
const chunkBytes = 4 * 1024 * 1024;

/** Reads a sector that is only partly written. */
class RestOfSector extends ImageRequest {
  readonly #done: (result: number, error: Error | undefined) => void;
  #chunk = noSectors;
  #into = 0;

  constructor(done: (result: number, error: Error | undefined) => void) {
    super();
    this.#done = done;
  }

  /** @param into the sector's place in the chunk */
  begin(image: WrittenSectors, sector: number, chunk: Buffer, into: number): void {
    this.offset = sector;
    this.length = image.sectorBytes;
    this.#chunk = chunk;
    this.#into = into;
    image.read(this);
  }

  fill(): void {}

  take(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.#chunk, this.#into + position, start, end);
  }

  takeZeros(position: number, length: number): void {
    this.#chunk.fill(0, this.#into + position, this.#into + position + length);
  }

  completed(): void {
    this.#done(this.result, this.error);
  }
}

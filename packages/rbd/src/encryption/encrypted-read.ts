import { ImageRequest } from "../io/image-request.ts";
import { isZeros } from "../zeros.ts";
import { giveSectors, noSectors, takeSectors } from "./sector-buffers.ts";
import type { SectorHost } from "./sector-host.ts";

/** Reads the sectors around a request, and decrypts them. Reused. */
export class SectorRead extends ImageRequest {
  readonly #image: SectorHost;
  readonly #spares: SectorRead[];
  #outer!: ImageRequest;
  #sectors = noSectors;
  /** Offset of the first sector in the data. */
  #start = 0;

  /** @param spares the pool of unused objects */
  constructor(image: SectorHost, spares: SectorRead[]) {
    super();
    this.#image = image;
    this.#spares = spares;
  }

  begin(outer: ImageRequest): void {
    const { sectorBytes, dataOffset, lower } = this.#image;
    this.#outer = outer;
    this.#start = outer.offset - (outer.offset % sectorBytes);
    this.length = Math.ceil((outer.offset + outer.length - this.#start) / sectorBytes) * sectorBytes;
    this.offset = dataOffset + this.#start;
    this.#sectors = takeSectors(this.length);
    lower.read(this);
  }

  fill(): void {}

  take(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.#sectors, position, start, end);
  }

  takeZeros(position: number, length: number): void {
    this.#sectors.fill(0, position, position + length);
  }

  completed(): void {
    const outer = this.#outer;
    outer.result = this.result;
    outer.error = this.error;
    if (this.result >= 0) {
      this.#decrypt();
      const from = outer.offset - this.#start;
      outer.take(this.#sectors, from, from + outer.length, 0);
    }
    giveSectors(this.#sectors);
    this.#sectors = noSectors;
    this.#spares.push(this);
    outer.completed();
  }

  /** Sectors of zeros were never written: an encrypted sector is never all zeros. */
  #decrypt(): void {
    const { sectorBytes, cipher } = this.#image;
    let start = 0;
    for (let at = 0; at <= this.length; at += sectorBytes) {
      if (at < this.length && !isZeros(this.#sectors, at, at + sectorBytes)) continue;
      if (at > start) cipher.decrypt(this.#sectors, start, at, this.#image.sectorAt(this.#start + start));
      start = at + sectorBytes;
    }
  }
}

/** Discards on behalf of another request. */
export class DiscardRequest extends ImageRequest {
  readonly #outer: ImageRequest;

  constructor(outer: ImageRequest, offset: number, length: number) {
    super();
    this.#outer = outer;
    this.offset = offset;
    this.length = length;
  }

  fill(): void {}

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    this.#outer.result = this.result;
    this.#outer.error = this.error;
    this.#outer.completed();
  }
}

import { errno } from "@siphon/wire";
import type { ImageLayer, ParentView } from "../io/image-layer.ts";
import { ImageRequest } from "../io/image-request.ts";
import { isZeros } from "../zeros.ts";
import { EncryptedImage } from "./encrypted-image.ts";
import { EncryptionError } from "./encryption-error.ts";
import { imageKey, type Layer, type Layers } from "./encryption-layers.ts";
import { giveSectors, noSectors, takeSectors } from "./sector-buffers.ts";

/**
 * Shows each clone of a chain its parent's data re-encrypted with the clone's key. So code that knows nothing of
 * encryption (reads, copy-ups, flattening, trims) sees one key. Byte n of the clone's data is byte n of the parent's
 * data, whatever the sizes of their headers.
 *
 * If both have the same key, as in clones that were not formatted, the parent's bytes are used unchanged.
 */
export class LayeredParents implements ParentView {
  readonly #layers: Layers;
  /** Decrypted parents. They are opened again when the clone's header changes. */
  readonly #plain = new WeakMap<ImageLayer, PlainReader>();
  readonly #reads: RecryptedRead[] = [];

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  bytes(clone: ImageLayer, parent: ImageLayer): number {
    const [own, theirs] = [this.#layerOf(clone), this.#layerOf(parent)];
    if (own === theirs || own === undefined || own === null) return parent.size;
    const data = this.#plainOf(parent, theirs)?.size ?? parent.size;
    return own.volume.dataOffset + data - (data % own.volume.sectorBytes);
  }

  read(clone: ImageLayer, parent: ImageLayer, request: ImageRequest): void {
    const [own, theirs] = [this.#layerOf(clone), this.#layerOf(parent)];
    parent.parentView ??= this;
    if (own !== undefined && own === theirs) {
      parent.read(request);
      return;
    }
    const plain = this.#plainOf(parent, theirs);
    if (own === undefined || own === null || plain === undefined) {
      request.result = -errno.EPERM;
      request.error = new EncryptionError(
        "SIPHON_ENCRYPTION_LAYERS",
        `the key of parent image ${parent.state.id} of image ${clone.state.name} was not given`,
      );
      setImmediate(() => request.completed());
      return;
    }
    (this.#reads.pop() ?? new RecryptedRead(this.#reads)).begin(plain, own, request);
  }

  seal(clone: ImageLayer, objectNumber: number, data: Buffer): void {
    const own = this.#layerOf(clone);
    if (own === undefined || own === null) return;
    const { sectorBytes, dataOffset, firstSector } = own.volume;
    const { layout } = clone;
    for (let at = 0; at < data.length; at += layout.run(at)) {
      const offset = layout.imageOffset(objectNumber, at) - dataOffset;
      if (offset < 0 || offset % sectorBytes !== 0) continue;
      const end = Math.min(at + layout.run(at), data.length);
      for (let sector = at; sector + sectorBytes <= end; sector += sectorBytes) {
        if (!isZeros(data, sector, sector + sectorBytes)) continue;
        const number = firstSector + (offset + sector - at) / 512;
        own.cipher.encrypt(data, sector, sector + sectorBytes, number);
      }
    }
  }

  /** Undefined if nothing is known of the image. */
  #layerOf(image: ImageLayer): Layer | null | undefined {
    return this.#layers.get(imageKey(image));
  }

  #plainOf(image: ImageLayer, layer: Layer | null | undefined): PlainReader | undefined {
    if (layer === null || layer === undefined) return layer === null ? image : undefined;
    let plain = this.#plain.get(image);
    if (plain === undefined) {
      plain = new EncryptedImage(image, layer.volume, layer.cipher);
      this.#plain.set(image, plain);
    }
    return plain;
  }
}

interface PlainReader {
  readonly size: number;
  read(request: ImageRequest): void;
}

/** Reads the parent's decrypted sectors around a request, and encrypts them with the clone's key. Reused. */
class RecryptedRead extends ImageRequest {
  readonly #pool: RecryptedRead[];
  #outer!: ImageRequest;
  #layer!: Layer;
  #sectors = noSectors;
  /** Offset of the first sector in the clone's data. */
  #start = 0;
  #end = 0;

  constructor(pool: RecryptedRead[]) {
    super();
    this.#pool = pool;
  }

  begin(parent: PlainReader, layer: Layer, outer: ImageRequest): void {
    const { dataOffset, sectorBytes } = layer.volume;
    const [from, to] = [outer.offset - dataOffset, outer.offset + outer.length - dataOffset];
    this.#outer = outer;
    this.#layer = layer;
    this.#start = Math.max(0, from - (from % sectorBytes));
    this.#end = Math.max(this.#start, Math.ceil(to / sectorBytes) * sectorBytes);
    // Bytes beyond the parent's end are zeros.
    const length = this.#end - this.#start;
    this.#sectors = takeSectors(length);
    this.#sectors.fill(0, 0, length);
    this.offset = this.#start;
    this.length = Math.min(this.#end, parent.size) - this.#start;
    if (this.length > 0) {
      parent.read(this);
      return;
    }
    this.result = 0;
    this.error = undefined;
    setImmediate(() => this.completed());
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
    if (this.result >= 0) this.#give(outer);
    giveSectors(this.#sectors);
    this.#sectors = noSectors;
    this.#pool.push(this);
    outer.completed();
  }

  #give(outer: ImageRequest): void {
    const { dataOffset } = this.#layer.volume;
    const inHeader = Math.min(Math.max(0, dataOffset - outer.offset), outer.length);
    if (inHeader > 0) outer.takeZeros(0, inHeader);
    if (inHeader === outer.length) return;
    this.#encrypt();
    const from = outer.offset + inHeader - dataOffset - this.#start;
    outer.take(this.#sectors, from, from + outer.length - inHeader, inHeader);
  }

  /** Sectors of zeros stay zeros, for reads and copy-ups. */
  #encrypt(): void {
    const { cipher, volume } = this.#layer;
    const { sectorBytes, firstSector } = volume;
    const length = this.#end - this.#start;
    let start = 0;
    for (let at = 0; at <= length; at += sectorBytes) {
      if (at < length && !isZeros(this.#sectors, at, at + sectorBytes)) continue;
      if (at > start) cipher.encrypt(this.#sectors, start, at, firstSector + (this.#start + start) / 512);
      start = at + sectorBytes;
    }
  }
}

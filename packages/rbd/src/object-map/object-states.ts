import { crc32c, Reader, WireError, Writer } from "@siphon/wire";

/** Bytes per checksum in the footer. */
const blockSize = 4096;

/**
 * The states of an image's objects, two bits each, the first object in the highest bits of a byte, in the format of
 * stored object maps (BitVector<2> in src/common/bit_vector.hpp):
 *
 *     u32 length, header: struct v1 { u64 number of objects }
 *     the states
 *     u32 length, footer: u32 crc32c of the header, u32 n, n x u32 crc32c of 4 KiB of states
 */
export class ObjectStates {
  #bytes: Uint8Array;
  #size: number;

  constructor(size: number, state = 0) {
    this.#size = size;
    this.#bytes = new Uint8Array((size + 3) >> 2).fill(state * 0x55);
    this.#clearTail();
  }

  /** The states shared by another thread; its changes are visible here. */
  static over({ bytes, size }: SharedStates): ObjectStates {
    const states = new ObjectStates(0);
    states.#bytes = new Uint8Array(bytes);
    states.#size = size;
    return states;
  }

  /** @throws WireError for bytes that are not an object map, or a damaged one */
  static decode(bytes: Uint8Array): ObjectStates {
    const reader = new Reader(bytes, "object map");
    const header = reader.blob();
    const size = new Reader(header, "object map").versioned("header of an object map", 1, (r) =>
      r.u64Number(),
    );
    const states = new ObjectStates(0);
    states.#bytes = new Uint8Array(reader.raw(Math.ceil(size / 4)));
    states.#size = size;
    const footer = reader.blob();
    // Without checksums the footer is empty.
    if (footer.length > 0 && !footer.equals(states.#footer(header))) {
      throw new WireError("SIPHON_WIRE_CHECKSUM", "the object map's checksums do not match its content");
    }
    return states;
  }

  /**
   * Moves the states to shared memory, unless they are there already. Only one thread may change them, because a byte
   * holds four states.
   */
  share(): SharedStates {
    if (!(this.#bytes.buffer instanceof SharedArrayBuffer)) {
      const shared = new Uint8Array(new SharedArrayBuffer(this.#bytes.length));
      shared.set(this.#bytes);
      this.#bytes = shared;
    }
    return { bytes: this.#bytes.buffer as SharedArrayBuffer, size: this.#size };
  }

  /** Sets all objects to one state. */
  fill(state: number): void {
    this.#bytes.fill(state * 0x55);
    this.#clearTail();
  }

  encode(): Buffer {
    const header = new Writer(16).versioned(1, 1, (w) => w.u64(this.#size)).finish();
    return new Writer(64 + this.#bytes.length)
      .blob(header)
      .raw(this.#bytes)
      .blob(this.#footer(header))
      .finish();
  }

  /** Number of objects. */
  get size(): number {
    return this.#size;
  }

  get(objectNumber: number): number {
    return (this.#bytes[objectNumber >> 2]! >> shift(objectNumber)) & 3;
  }

  set(objectNumber: number, state: number): void {
    const at = objectNumber >> 2;
    const by = shift(objectNumber);
    this.#bytes[at] = (this.#bytes[at]! & ~(3 << by)) | (state << by);
  }

  /** @param state of added objects */
  resize(size: number, state = 0): void {
    const from = this.#size;
    const bytes = new Uint8Array((size + 3) >> 2);
    bytes.set(this.#bytes.subarray(0, bytes.length));
    this.#bytes = bytes;
    this.#size = size;
    for (let objectNumber = from; objectNumber < size; objectNumber++) this.set(objectNumber, state);
    this.#clearTail();
  }

  #footer(header: Uint8Array): Buffer {
    const blocks = Math.ceil(this.#bytes.length / blockSize);
    const writer = new Writer(8 + 4 * blocks).u32(crc32c(0, header)).u32(blocks);
    for (let at = 0; at < this.#bytes.length; at += blockSize) {
      writer.u32(crc32c(0, this.#bytes, at, Math.min(at + blockSize, this.#bytes.length)));
    }
    return writer.finish();
  }

  #clearTail(): void {
    for (let objectNumber = this.#size; objectNumber < this.#bytes.length * 4; objectNumber++) {
      this.set(objectNumber, 0);
    }
  }
}

/** The shared memory of `share`. */
export interface SharedStates {
  readonly bytes: SharedArrayBuffer;
  /** Number of objects. */
  readonly size: number;
}

function shift(objectNumber: number): number {
  return (3 - (objectNumber & 3)) * 2;
}

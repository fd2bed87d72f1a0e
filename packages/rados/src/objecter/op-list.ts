import { readU64, writeU64 } from "../messenger/u64.ts";

/** ceph_osd_op in src/include/rados.h: u16 code, u32 flags, 28 bytes of arguments, u32 length of the input. */
export const opBytes = 38;
export const opArguments = 6;
const inputLengthAt = 34;

/**
 * The encoded operations of one request; reused. `add` returns the offset of an operation's zeroed 28 bytes of
 * arguments in `view`; longer data is the operation's input.
 */
export class OpList {
  bytes: Buffer;
  view: DataView;
  /** Number of operations. */
  count = 0;
  /** Bytes of the inputs of all operations. */
  inputBytes = 0;

  constructor(capacity = 2) {
    this.bytes = Buffer.alloc(capacity * opBytes);
    this.view = viewOf(this.bytes);
  }

  /** Encoded bytes, without inputs. */
  get length(): number {
    return this.count * opBytes;
  }

  clear(): this {
    this.count = 0;
    this.inputBytes = 0;
    return this;
  }

  /** @param inputLength bytes of input that the request fills in */
  add(code: number, inputLength = 0, flags = 0): number {
    const at = this.count++ * opBytes;
    if (at + opBytes > this.bytes.length) this.#grow();
    const { view } = this;
    view.setUint16(at, code, true);
    view.setUint32(at + 2, flags, true);
    for (let i = opArguments; i < inputLengthAt; i += 4) view.setUint32(at + i, 0);
    view.setUint32(at + inputLengthAt, inputLength, true);
    this.inputBytes += inputLength;
    return at + opArguments;
  }

  /** An operation on a range: read, write, zero, truncate (with length 0), ... */
  addExtent(code: number, offset: number, length: number, inputLength = 0, flags = 0): void {
    const at = this.add(code, inputLength, flags);
    this.setU64(at, offset);
    this.setU64(at + 8, length);
  }

  /** Writes the encoded operations without inputs. A loop is faster than a call into C++. */
  writeTo(into: DataView, at: number): void {
    const { view, length } = this;
    for (let i = 0; i < length; i += 2) into.setUint16(at + i, view.getUint16(i));
  }

  code(op: number): number {
    return this.view.getUint16(op * opBytes, true);
  }

  /** Length of an operation made by `addExtent`. */
  extentLength(op: number): number {
    return readU64(this.view, op * opBytes + opArguments + 8);
  }

  inputLength(op: number): number {
    return this.view.getUint32(op * opBytes + inputLengthAt, true);
  }

  /** @param value a whole number of up to 53 bits */
  setU64(at: number, value: number): void {
    writeU64(this.view, at, value);
  }

  #grow(): void {
    const grown = Buffer.alloc(this.bytes.length * 2);
    this.bytes.copy(grown);
    this.bytes = grown;
    this.view = viewOf(grown);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

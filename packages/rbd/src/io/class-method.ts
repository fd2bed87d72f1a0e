import { type OpList, opCode } from "@siphon/rados/engine";

/**
 * A call of a method of an object class (the `cls` arguments of ceph_osd_op: u8 length of the class's name, u8 length of the
 * method's, u8 0, u32 length of the data). Its input is both names and then the data, `fillNames` long and more.
 */
export class ClassMethod {
  readonly #classLength: number;
  readonly #names: Buffer;

  constructor(className: string, method: string) {
    this.#classLength = Buffer.byteLength(className);
    this.#names = Buffer.from(className + method);
  }

  add(ops: OpList, dataLength: number): void {
    const names = this.#names.length;
    const at = ops.add(opCode.call, names + dataLength);
    ops.view.setUint8(at, this.#classLength);
    ops.view.setUint8(at + 1, names - this.#classLength);
    ops.view.setUint32(at + 3, dataLength, true);
  }

  fill(into: Buffer, at: number, data: Uint8Array): void {
    into.set(this.#names, at);
    into.set(data, at + this.#names.length);
  }
}

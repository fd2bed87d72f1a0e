import type { CopySource } from "@siphon/rados";
import { copyFrom, type OpList, opCode } from "@siphon/rados/engine";
import { BufferRequest } from "./promise-request.ts";

/** A write with the data of another object, copied by the OSDs. */
export class ObjectCopy extends BufferRequest {
  readonly #step: ReturnType<typeof copyFrom>;

  /**
   * @param offset offset of the object in the image, which is not striped
   * @param length of an object
   */
  constructor(
    offset: number,
    length: number,
    source: CopySource,
    settling: ConstructorParameters<typeof BufferRequest>[3],
  ) {
    const step = copyFrom(source);
    super(offset, length, step.input!, settling);
    this.#step = step;
  }

  addTo(ops: OpList): void {
    const at = ops.add(opCode.copyFrom, this.#step.input!.length);
    this.#step.writeArguments!(ops, at);
  }

  override fill(into: Buffer, at: number): void {
    into.set(this.#step.input!, at);
  }

  override dataInPlace(): undefined {}
}

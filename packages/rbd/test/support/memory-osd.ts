import { type ObjectRequest, opCode } from "@siphon/rados/engine";

/**
 * As much of an OSD as an image's I/O needs, in memory and without snapshots: for what cannot be had of a real one, such as
 * answers that are held back or fail.
 */
export class MemoryOsd {
  readonly objects = new Map<string, Buffer>();
  /** Requests in the order in which they came: the object, and the codes of its operations. */
  readonly log: { name: string; codes: number[] }[] = [];
  /** Answers are held back until `answer`. */
  held: ObjectRequest[] | undefined;
  /** Gives the result of a request instead of carrying it out. */
  fault: (name: string, codes: readonly number[]) => number | undefined = () => undefined;

  submit(request: ObjectRequest): void {
    const codes = Array.from({ length: request.ops.count }, (_, op) => request.ops.code(op));
    this.log.push({ name: request.target.name, codes });
    request.result = this.fault(request.target.name, codes) ?? this.#carryOut(request);
    if (this.held === undefined) setImmediate(() => request.completed());
    else this.held.push(request);
  }

  answer(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const request of held) request.completed();
  }

  #carryOut(request: ObjectRequest): number {
    const { ops, target } = request;
    let object = this.objects.get(target.name);
    for (let op = 0; op < ops.count; op++) {
      const at = op * 38 + 6;
      const code = ops.code(op);
      const offset = Number(ops.view.getBigUint64(at, true));
      const length = Number(ops.view.getBigUint64(at + 8, true));
      const input = Buffer.alloc(ops.inputLength(op));
      if (input.length > 0) request.fill(op, input, 0);
      if (code === opCode.read || code === opCode.stat || code === opCode.delete) {
        if (object === undefined) return -2;
      }
      if (code === opCode.read) {
        const bytes = object!.subarray(offset, offset + length);
        request.output(op, bytes.length, bytes.length);
        if (bytes.length > 0) request.take(op, bytes, 0, bytes.length, 0);
      } else if (code === opCode.write) object = put(object, offset, input);
      else if (code === opCode.writeFull) object = input;
      else if (code === opCode.create) object ??= Buffer.alloc(0);
      else if (code === opCode.delete) object = undefined;
      else if (code === opCode.truncate) object = object && resize(object, offset);
      else if (code === opCode.zero) {
        object?.subarray(offset, offset + length).fill(0);
      } else if (code === opCode.writeSame) {
        object = put(object, offset, Buffer.alloc(length, input));
      } else if (code === opCode.compareExtent) {
        const found = resize(object ?? Buffer.alloc(0), offset + length).subarray(offset);
        const differs = input.findIndex((byte, index) => byte !== found[index]);
        if (differs >= 0) return -4095 - differs;
      } else if (code === opCode.call) {
        const names = ops.bytes[at]! + ops.bytes[at + 1]!;
        if (input.toString("latin1", 0, names) === "rbdcopyup") object ??= input.subarray(names);
      }
    }
    if (object === undefined) this.objects.delete(target.name);
    else this.objects.set(target.name, object);
    return 0;
  }
}

function resize(object: Buffer, size: number): Buffer {
  const resized = Buffer.alloc(size);
  object.copy(resized);
  return resized;
}

function put(object: Buffer | undefined, offset: number, data: Buffer): Buffer {
  const larger = resize(object ?? Buffer.alloc(0), Math.max(object?.length ?? 0, offset + data.length));
  data.copy(larger, offset);
  return larger;
}

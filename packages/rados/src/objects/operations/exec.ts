import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

/** cls: u8 length of the class' name, u8 of the method's, u8 0, u32 of the input; input: the three. */
export function exec(className: string, method: string, input: Uint8Array = new Uint8Array()): Op<Buffer> {
  const [classBytes, methodBytes] = [Buffer.from(className), Buffer.from(method)];
  if (classBytes.length > 255 || methodBytes.length > 255) {
    throw new RangeError(`the name of class or method is too long: ${className}.${method}`);
  }
  return {
    code: opCode.call,
    writeArguments: ({ view }, at) => {
      view.setUint8(at, classBytes.length);
      view.setUint8(at + 1, methodBytes.length);
      view.setUint32(at + 3, input.length, true);
    },
    input: Buffer.concat([classBytes, methodBytes, input]),
    decode: (output) => output,
  };
}

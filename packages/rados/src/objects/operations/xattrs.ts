import { Reader } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";
import type { Comparison } from "./omap.ts";

export function getXattr(name: string): Op<Buffer> {
  return { ...xattr(opCode.getXattr, name), decode: (output) => output };
}

/** Output: map of strings to blobs. */
export function getXattrs(): Op<Map<string, Buffer>> {
  return {
    code: opCode.getXattrs,
    decode: (output) => {
      const r = new Reader(output, "extended attributes");
      return r.map(
        8,
        () => r.string(),
        () => r.blob(),
      );
    },
  };
}

export function setXattr(name: string, value: Uint8Array | string): Op<void> {
  return xattr(opCode.setXattr, name, Buffer.from(value));
}

export function removeXattr(name: string): Op<void> {
  return xattr(opCode.removeXattr, name);
}

/** A number goes as a u64, and is compared with the attribute read as decimal text. */
export function compareXattr(
  name: string,
  comparison: Comparison,
  value: Uint8Array | string | number,
): Op<void> {
  const isNumber = typeof value === "number";
  const bytes = isNumber ? Buffer.alloc(8) : Buffer.from(value);
  if (isNumber) bytes.writeBigUInt64LE(BigInt(value));
  const op = xattr(opCode.compareXattr, name, bytes);
  return {
    ...op,
    writeArguments: (ops, at) => {
      op.writeArguments?.(ops, at);
      ops.view.setUint8(at + 8, comparisons[comparison]);
      ops.view.setUint8(at + 9, isNumber ? 2 : 1);
    },
  };
}

/** CEPH_OSD_CMPXATTR_OP_*. */
const comparisons: Record<Comparison, number> = { "=": 1, "!=": 2, ">": 3, ">=": 4, "<": 5, "<=": 6 };

/** xattr: u32 length of the name, u32 of the value, u8 comparison, u8 1 for bytes, 2 for numbers; input: name and value. */
function xattr(code: number, name: string, value: Uint8Array = new Uint8Array()): Op<void> {
  const nameBytes = Buffer.from(name);
  return {
    code,
    writeArguments: ({ view }, at) => {
      view.setUint32(at, nameBytes.length, true);
      view.setUint32(at + 4, value.length, true);
    },
    input: Buffer.concat([nameBytes, value]),
    decode: () => {},
  };
}

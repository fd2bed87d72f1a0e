import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

/** assert_ver: u64 unused, u64 version. */
export function assertVersion(version: number): Op<void> {
  return {
    code: opCode.assertVersion,
    writeArguments: (ops, at) => ops.setU64(at + 8, version),
    decode: () => {},
  };
}

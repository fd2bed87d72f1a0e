import { Reader, Writer } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

/** CEPH_OSD_WATCH_OP_*. */
const watchOp = { unwatch: 0, watch: 3, reconnect: 5, ping: 7 } as const;

/**
 * watch: u64 cookie, u64 unused, u8 what, u32 generation, u32 timeout.
 *
 * @param generation counts reconnects
 * @param timeout seconds; 0: the OSD's (osd_client_watch_timeout)
 */
export function watch(what: keyof typeof watchOp, cookie: bigint, generation = 0, timeout = 0): Op<void> {
  return {
    code: opCode.watch,
    writeArguments: ({ view }, at) => {
      view.setBigUint64(at, cookie, true);
      view.setUint8(at + 16, watchOp[what]);
      view.setUint32(at + 17, generation, true);
      view.setUint32(at + 21, timeout, true);
    },
    decode: () => {},
  };
}

/** notify: u64 cookie; input: u32 1, u32 timeout in seconds, blob payload. Output: u64 notify id. */
export function notify(cookie: bigint, timeout: number, payload: Uint8Array): Op<bigint> {
  return {
    code: opCode.notify,
    writeArguments: ({ view }, at) => view.setBigUint64(at, cookie, true),
    input: new Writer().u32(1).u32(timeout).blob(payload).finish(),
    decode: (output) => new Reader(output, "id of a notify").u64(),
  };
}

/** Input: u64 notify id, u64 cookie of the watch, blob reply. */
export function acknowledge(notifyId: bigint, cookie: bigint, reply: Uint8Array): Op<void> {
  return {
    code: opCode.notifyAck,
    input: new Writer().u64(notifyId).u64(cookie).blob(reply).finish(),
    decode: () => {},
  };
}

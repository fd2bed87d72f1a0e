import { type EntityAddr, Reader, readEntityAddr } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

/** A client that watches an object. */
export interface Watcher {
  /** `client.4123`. */
  client: string;
  /** Tells a client's watches apart. */
  cookie: bigint;
  /** Seconds without a sign of life after which the OSD gives it up. */
  timeout: number;
  addr: EntityAddr;
}

/**
 * obj_list_watch_response_t (src/osd/osd_types.h): versioned; list of watchers. A watcher (watch_item_t): versioned; u8 and
 * i64 name, u64 cookie, u32 timeout, address.
 */
export function listWatchers(): Op<Watcher[]> {
  return {
    code: opCode.listWatchers,
    decode: (output) =>
      new Reader(output, "watchers of an object").versioned("obj_list_watch_response_t", 1, (r) =>
        r.list(6, readWatcher),
      ),
  };
}

function readWatcher(r: Reader): Watcher {
  return r.versioned("watch_item_t", 2, () => {
    const type = r.u8();
    const number = r.i64();
    return {
      client: `${entityTypeNames.get(type) ?? `type${type}`}.${number}`,
      cookie: r.u64(),
      timeout: r.u32(),
      addr: readEntityAddr(r),
    };
  });
}

const entityTypeNames = new Map([
  [0x01, "mon"],
  [0x02, "mds"],
  [0x04, "osd"],
  [0x08, "client"],
  [0x10, "mgr"],
]);

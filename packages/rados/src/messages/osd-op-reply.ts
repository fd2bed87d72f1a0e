import { Reader, WireError } from "@siphon/wire";
import type { IncomingMessage } from "../messenger/message.ts";
import { readU64 } from "../messenger/u64.ts";
import { opBytes } from "../objecter/op-list.ts";

/**
 * MOSDOpReply (src/messages/MOSDOpReply.h), versions 7 and 8:
 *
 *       0  string object name
 *          pg_t: u8 1, i64 pool, u32 seed, i32 -1
 *          i64 flags, i32 result, eversion_t (u64, u32) of old clients, u32 epoch of the OSD map
 *          u32 count, and as many operations (ceph_osd_op), each with the length of its output
 *          i32 attempt
 *          for each operation: i32 result
 *          eversion_t (u64, u32) of the write, u64 version of the object
 *          u8 whether a redirect follows; request_redirect_t
 *
 * Data: the outputs of all operations. One object reads all replies of a session, in place.
 */
export class OsdOpReply {
  result = 0;
  epoch = 0;
  count = 0;
  /** Which attempt is answered. */
  attempt = 0;
  version = 0;
  #message!: IncomingMessage;
  #view!: DataView;
  #ops = 0;
  #results = 0;
  #redirect = 0;

  /** @throws WireError for what is no such message; the lengths of all outputs are checked to be that of the data */
  read(message: IncomingMessage): void {
    const { region, front, frontLength } = message;
    if (message.version < 7) throw malformed(`version ${message.version}`);
    const view = region.view;
    const end = front + frontLength;
    if (frontLength < fixedBytes) throw malformed("it is truncated");
    const nameLength = view.getUint32(front, true);
    if (nameLength > frontLength - fixedBytes) throw malformed(`a name of ${nameLength} bytes`);
    let at = front + 4 + nameLength + 17 + 8;
    this.result = view.getInt32(at, true);
    this.epoch = view.getUint32(at + 16, true);
    const count = view.getUint32(at + 20, true);
    this.count = count;
    at += 24;
    if (count > mostOps || count * (opBytes + 4) > end - at - tailBytes)
      throw malformed(`${count} operations`);
    this.#message = message;
    this.#view = view;
    this.#ops = at;
    at += count * opBytes;
    this.attempt = view.getInt32(at, true);
    this.#results = at + 4;
    at += 4 + 4 * count;
    this.version = readU64(view, at + 12);
    this.#redirect = view.getUint8(at + 20) !== 0 ? at + 21 : 0;
    let outputs = 0;
    for (let op = 0; op < count; op++) outputs += this.outputLength(op);
    if (outputs !== message.dataLength) {
      throw malformed(`outputs of ${outputs} bytes in ${message.dataLength} bytes of data`);
    }
  }

  opResult(op: number): number {
    return this.#view.getInt32(this.#results + 4 * op, true);
  }

  outputLength(op: number): number {
    return this.#view.getUint32(this.#ops + op * opBytes + outputLengthAt, true);
  }

  /**
   * Where to ask instead; undefined where this is the answer. request_redirect_t (src/osd/osd_types.h): object_locator_t,
   * string object name, empty for the same, blob of operations no longer used.
   */
  get redirect(): Redirect | undefined {
    if (this.#redirect === 0) return undefined;
    const { region, front, frontLength } = this.#message;
    const copy = Buffer.from(region.bytes.subarray(this.#redirect, front + frontLength));
    return new Reader(copy, "request_redirect_t").versioned("request_redirect_t", 1, (r) => {
      const locator = r.versioned("object_locator_t", 6, (_, version) => {
        const poolId = r.i64Number();
        r.skip(4);
        const key = r.string();
        return { poolId, key, namespace: version >= 5 ? r.string() : "" };
      });
      return { ...locator, name: r.string() };
    });
  }
}

export interface Redirect {
  poolId: number;
  key: string;
  namespace: string;
  /** Empty: the same name. */
  name: string;
}

const outputLengthAt = 34;
/** Behind the results of the operations: versions and whether there is a redirect. */
const tailBytes = 4 + 12 + 8 + 1;
const fixedBytes = 4 + 17 + 8 + 4 + 12 + 4 + 4 + tailBytes;
/** A request counts its operations in 16 bits. */
const mostOps = 65_535;

function malformed(found: string): WireError {
  return new WireError("SIPHON_WIRE_MALFORMED", `malformed MOSDOpReply: ${found}`);
}

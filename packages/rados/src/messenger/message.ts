import { Reader } from "@siphon/wire";
import { Region } from "./region.ts";

/**
 * A received message, as offsets into the receive memory. A connection reuses one object: it and the bytes are valid
 * only during the call that delivers it.
 */
export class IncomingMessage {
  region: Region = noMemory;
  /** Message type, `CEPH_MSG_*` and `MSG_*` of src/msg/Message.h. */
  type = 0;
  version = 0;
  compatVersion = 0;
  priority = 0;
  /** Transaction id; a reply has the request's. */
  tid = 0;
  front = 0;
  frontLength = 0;
  middle = 0;
  middleLength = 0;
  data = 0;
  dataLength = 0;
  /** Whether the data went to the handler's sink and is not in `region`. */
  streamed = false;

  /** A reader of a copy of the front, for messages whose contents are kept. */
  readFront(what: string): Reader {
    return new Reader(this.#copy(this.front, this.frontLength), what);
  }

  /** A copy of the data. */
  copyData(): Buffer {
    return this.#copy(this.data, this.dataLength);
  }

  #copy(at: number, length: number): Buffer {
    return Buffer.from(this.region.bytes.subarray(at, at + length));
  }
}

/** Receives the data of a large message in order: `bytes` from `start` up to `end`, valid during the call. */
export type DataSink = (bytes: Buffer, start: number, end: number) => void;

/** A message to send when the cost of an object does not matter. */
export interface OutgoingMessage {
  type: number;
  version?: number;
  compatVersion?: number;
  tid?: number;
  priority?: number;
  front: Uint8Array;
  data?: Uint8Array;
}

/** CEPH_MSG_PRIO_DEFAULT and _HIGHEST. */
export const defaultPriority = 127;

const noMemory = Region.allocate(0);

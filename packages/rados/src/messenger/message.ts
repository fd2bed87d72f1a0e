import { Reader } from "@siphon/wire";
import { Region } from "./region.ts";

/**
 * A message just received, as offsets into the memory it was received in. One object serves every message
 * of a connection: it and the bytes are valid only during the call that hands it over.
 */
export class IncomingMessage {
  region: Region = noMemory;
  /** Message type, `CEPH_MSG_*` and `MSG_*` of src/msg/Message.h. */
  type = 0;
  version = 0;
  compatVersion = 0;
  priority = 0;
  /** Transaction id: the one of the request, in a reply. */
  tid = 0;
  front = 0;
  frontLength = 0;
  middle = 0;
  middleLength = 0;
  data = 0;
  dataLength = 0;
  /** The data went to the sink that the handler gave; it is not in `region`. */
  streamed = false;

  /** A cursor over a copy of the front, for messages whose contents are kept. */
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

/** Takes the data of a large message as it comes, in order: `bytes` from `start` up to `end`, valid during the call. */
export type DataSink = (bytes: Buffer, start: number, end: number) => void;

/** A message to send where the cost of one object does not matter. */
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

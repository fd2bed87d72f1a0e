import type { Extent } from "../extent-source.ts";
import type { ErrorPolicy } from "../health/pausing-device.ts";
import type { TlsCredentials } from "../nbd/tls.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { Message } from "../vhost/protocol/channel.ts";
import type { RequestName } from "../vhost/protocol/codes.ts";

/** The start data of a worker that serves a disk. */
export interface PartStart {
  /** The export's name: `POOL/IMAGE`. */
  readonly name: string;
  readonly onError: ErrorPolicy;
  /** Bytes of requests that the worker's clients may have in flight. */
  readonly maxInFlight: number;
  /** For the disk's limits: see `sharedBuckets`. */
  readonly buckets: SharedArrayBuffer;
  /** Memory of each worker's counters: see `IoMetrics`. */
  readonly metrics: readonly SharedArrayBuffer[];
  /** The count of `SharedOrphans`. */
  readonly orphans: SharedArrayBuffer;
}

/** The device that a front-end of vhost-user is given. */
export interface RingDevice {
  readonly serial: string;
  readonly queues: number;
  readonly blockSize: number;
}

/** Something that a worker is to do for a front-end of vhost-user: see `SessionSetup`. Calls are answered. */
export type RingCall =
  | { readonly does: "begin"; readonly device: RingDevice }
  /** The message's descriptors are the worker's own. */
  | {
      readonly does: "handle";
      readonly name: RequestName;
      readonly message: Message;
      readonly patience: number;
    }
  | { readonly does: "finish" }
  | { readonly does: "leave" }
  /** The answer says that the worker has carried out all that it was told before. */
  | { readonly does: "nothing" };

/** Settings of the clients' connections, the same in all workers. */
export interface PartClients {
  readonly credentials: TlsCredentials | undefined;
  readonly handshakeTimeout: number;
}

/** To a worker that serves a disk. */
export type ToPart =
  | { readonly type: "begin"; readonly clients: PartClients }
  | { readonly type: "client"; readonly id: number; readonly fd: number; readonly name: string }
  | { readonly type: "evict"; readonly id: number; readonly reason: string }
  | { readonly type: "stop"; readonly id: number; readonly force: boolean }
  | { readonly type: "limit"; readonly limits: DiskLimits }
  | { readonly type: "rings"; readonly id: number; readonly call: RingCall }
  /** Requests that nobody waited for are done. */
  | { readonly type: "goOn" }
  /** The answer to `extents`; a negative errno where the question failed. */
  | { readonly type: "extents"; readonly id: number; readonly extents: readonly Extent[] | number };

/** From a worker that serves a disk. */
export type FromPart =
  | { readonly type: "ready" }
  /** The client has chosen an export. */
  | { readonly type: "served"; readonly id: number }
  | { readonly type: "closed"; readonly id: number }
  | { readonly type: "log"; readonly line: string }
  | { readonly type: "paused"; readonly why: string }
  | { readonly type: "resumed" }
  | FromRings
  | {
      readonly type: "extents";
      readonly id: number;
      /** Reports changes since this snapshot; without one, reports allocation. */
      readonly since: string | undefined;
      readonly offset: number;
      readonly length: number;
    };

/** About the rings of a worker. */
export type FromRings =
  /** The answer to a call, or why it failed. */
  | {
      readonly type: "answer";
      readonly id: number;
      readonly payload: Uint8Array | undefined;
      readonly refused: string | undefined;
    }
  | { readonly type: "fault"; readonly queue: number; readonly reason: string }
  | { readonly type: "orphansGone" };

import type { Extent } from "../extent-source.ts";
import type { ErrorPolicy } from "../health/pausing-device.ts";
import type { TlsCredentials } from "../nbd/tls.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";

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
}

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
  | {
      readonly type: "extents";
      readonly id: number;
      /** Reports changes since this snapshot; without one, reports allocation. */
      readonly since: string | undefined;
      readonly offset: number;
      readonly length: number;
    };

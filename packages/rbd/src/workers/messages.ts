import type { MessagePort } from "node:worker_threads";
import type { ClusterOptions } from "@siphon/rados";
import type { ImageState } from "../image-state.ts";
import type { IoLimits } from "../io/admission.ts";
import type { IoTuning } from "../io/io-tuning.ts";
import type { SharedStates } from "../object-map/object-states.ts";
import type { PlainError } from "./plain-error.ts";

/** A parent of the chain, at a snapshot. */
export interface LayerCopy {
  readonly state: ImageState;
  readonly snapId: number;
  readonly tuning: IoTuning;
  readonly map: SharedStates | undefined;
}

/** The image's state that a worker's requests depend on. */
export interface ImageCopy {
  readonly state: ImageState;
  /** Future size of an image that is being shrunk, in bytes. */
  readonly endsAt: number;
  /** A different number means a different map. */
  readonly map: { readonly number: number; readonly states: SharedStates } | undefined;
  /** Nearest first. A different number means other or reopened parents. */
  readonly parents: { readonly number: number; readonly layers: readonly LayerCopy[] };
}

/** The start data of a worker thread; the cluster's options may hold a key. */
export interface WorkerStart {
  readonly cluster: ClusterOptions;
  readonly fsid: string;
  readonly port: MessagePort;
}

/** The image's state at the start of a worker. */
export interface Opening {
  readonly copy: ImageCopy;
  readonly snapId: number;
  readonly readOnly: boolean;
  readonly hasPresence: boolean;
  readonly limits: IoLimits | undefined;
  readonly tuning: IoTuning;
  /** Number of nested pauses of writes. */
  readonly pauses: number;
  readonly owned: boolean;
}

/** From the owner to a worker. All but `run` are carried out at once, or when the writes in flight are done. */
export type ToWorker =
  | { readonly type: "open"; readonly opening: Opening }
  | { readonly type: "follow"; readonly copy: ImageCopy }
  | { readonly type: "pause" }
  | { readonly type: "resume"; readonly copy: ImageCopy }
  | { readonly type: "own"; readonly owned: boolean }
  /** Answered when all earlier requests to objects are done. */
  | { readonly type: "settle" }
  | { readonly type: "fail"; readonly error: PlainError }
  | {
      readonly type: "run";
      readonly run: number;
      readonly module: string;
      readonly index: number;
      readonly count: number;
      readonly data: unknown;
    }
  | { readonly type: "abort"; readonly run: number; readonly error: PlainError }
  /** A message for the function of a run. */
  | { readonly type: "tell"; readonly run: number; readonly message: unknown }
  /** The answer shows that the worker is alive. */
  | { readonly type: "ask" }
  /** Ends the thread, whatever it is doing. */
  | { readonly type: "end" };

/** From a worker to the owner. */
export type ToOwner =
  | { readonly type: "connected" }
  | { readonly type: "refused"; readonly error: PlainError }
  /** Acquires the lock before the first write. */
  | { readonly type: "own" }
  | {
      readonly type: "update";
      readonly objectNumber: number;
      readonly state: number;
      readonly current: number | undefined;
      /** The map's snapshot; undefined for the image's own map. */
      readonly snapId: number | undefined;
    }
  /** A parent is gone: reopens the parents. */
  | { readonly type: "renew" }
  | { readonly type: "mayCopyUp" }
  /** Checks whether the image (0) or one of its parents still exists. */
  | { readonly type: "present"; readonly parents: number; readonly depth: number }
  | { readonly type: "due"; readonly what: "read" | "write" }
  | { readonly type: "told"; readonly run: number; readonly message: unknown };

/** The result of an update of the object map. */
export interface UpdateAnswer {
  readonly result: number;
  readonly error: PlainError | undefined;
}

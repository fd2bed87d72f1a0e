import type { MessagePort } from "node:worker_threads";
import type { ClusterOptions } from "@siphon/rados";
import type { ImageState } from "../image-state.ts";
import type { IoLimits } from "../io/admission.ts";
import type { IoTuning } from "../io/io-tuning.ts";
import type { SharedStates } from "../object-map/object-states.ts";
import type { PlainError } from "./plain-error.ts";

/** An image of the chain of parents, at a snapshot. */
export interface LayerCopy {
  readonly state: ImageState;
  readonly snapId: number;
  readonly tuning: IoTuning;
  readonly map: SharedStates | undefined;
}

/** The image's state that a worker's requests depend on. */
export interface ImageCopy {
  readonly state: ImageState;
  /** Where the image ends already, in bytes. */
  readonly endsAt: number;
  /** Another number: another map. */
  readonly map: { readonly number: number; readonly states: SharedStates } | undefined;
  /** Nearest first. Another number: other parents, or parents that were examined again. */
  readonly parents: { readonly number: number; readonly layers: readonly LayerCopy[] };
}

/** The start data of a worker thread; the cluster's options may hold a key. */
export interface WorkerStart {
  readonly cluster: ClusterOptions;
  readonly fsid: string;
  readonly port: MessagePort;
}

/** The image as it is when a worker is there. */
export interface Opening {
  readonly copy: ImageCopy;
  readonly snapId: number;
  readonly readOnly: boolean;
  readonly hasPresence: boolean;
  readonly limits: IoLimits | undefined;
  readonly tuning: IoTuning;
  /** How often writes are paused. */
  readonly pauses: number;
  readonly owned: boolean;
}

/** From the owner to a worker. All but `run` are carried out at once, or end when writes that are in flight do. */
export type ToWorker =
  | { readonly type: "open"; readonly opening: Opening }
  | { readonly type: "follow"; readonly copy: ImageCopy }
  | { readonly type: "pause" }
  | { readonly type: "resume"; readonly copy: ImageCopy }
  | { readonly type: "own"; readonly owned: boolean }
  /** Answered when all that was sent to objects before is done. */
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
  /** For the function of a run. */
  | { readonly type: "tell"; readonly run: number; readonly message: unknown }
  /** The answer says that the worker does not hang. */
  | { readonly type: "ask" };

/** From a worker to the owner. */
export type ToOwner =
  | { readonly type: "connected" }
  | { readonly type: "refused"; readonly error: PlainError }
  /** The lock must be acquired before the first write. */
  | { readonly type: "own" }
  | {
      readonly type: "update";
      readonly objectNumber: number;
      readonly state: number;
      readonly current: number | undefined;
      /** The snapshot whose map it is; undefined for the image's own. */
      readonly snapId: number | undefined;
    }
  /** A parent is gone: the parents are to be examined again. */
  | { readonly type: "renew" }
  | { readonly type: "mayCopyUp" }
  /** Whether what is read is there still: of the image (0), or of its parents. */
  | { readonly type: "present"; readonly parents: number; readonly depth: number }
  | { readonly type: "due"; readonly what: "read" | "write" }
  | { readonly type: "told"; readonly run: number; readonly message: unknown };

/** How an update of the object map went. */
export interface UpdateAnswer {
  readonly result: number;
  readonly error: PlainError | undefined;
}

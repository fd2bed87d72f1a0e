import type { ObjectRequest } from "@siphon/rados/engine";
import type { ObjectMap } from "../object-map/object-map.ts";
import type { ImageLayer } from "./image-layer.ts";
import type { IoTuning } from "./io-tuning.ts";
import type { Operation } from "./operation.ts";
import type { Presence } from "./presence.ts";
import type { IoCounters } from "./statistics.ts";
import type { Targets } from "./targets.ts";

/** The image that requests to its objects belong to. */
export interface ExtentHost extends ImageLayer {
  readonly objecter: { submit(request: ObjectRequest): void };
  readonly targets: Targets;
  readonly counters: IoCounters;
  readonly tuning: IoTuning;
  readonly presence: Presence | undefined;
  /** Reopens the parents after one was found to be gone. */
  readonly renew: (() => Promise<void>) | undefined;
  readonly objectMap: ObjectMap | undefined;
  /** Bytes of a missing object, from its start, that come from the parent. */
  parentBytes(objectNumber: number): number;
  /** Reports that one extent of the operation is done. */
  settle(operation: Operation): void;
}

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
  /** Looks at the image and its parents again after a parent was found to be gone. */
  readonly renew: (() => Promise<void>) | undefined;
  readonly objectMap: ObjectMap | undefined;
  /** How many of an object's bytes, from its start, are the parent's while the object is missing. */
  parentBytes(objectNumber: number): number;
  /** One extent of the operation is done. */
  settle(operation: Operation): void;
}

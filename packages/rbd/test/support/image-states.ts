import { noSnapshots } from "@siphon/rados";
import type { ImageState } from "../../src/image-state.ts";

/** A header as a test wants it: 4 objects of 64 bytes, by default. */
export function imageState(state: Partial<ImageState> = {}): ImageState {
  const { id = "a" } = state;
  return {
    ...{ id, name: id, poolId: 1, namespace: "", dataPoolId: 1, objectPrefix: `rbd_data.${id}` },
    ...{ objectSize: 64, stripeUnit: 64, stripeCount: 1, features: 1, flags: 0, size: 256 },
    ...{ snapContext: noSnapshots, snapshots: new Map(), parent: undefined },
    ...state,
  };
}

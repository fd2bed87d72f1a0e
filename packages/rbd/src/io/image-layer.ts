import type { ImageState } from "../image-state.ts";
import type { Layout } from "../striping/layout.ts";
import type { ImageOperations } from "./image-operations.ts";
import type { ImageRequest } from "./image-request.ts";

/** One image of a chain of clones and parents. */
export interface ImageLayer extends ImageOperations {
  readonly state: ImageState;
  /** The snapshot to read; NO_SNAP for the current image. */
  readonly snapId: number;
  readonly layout: Layout;
  /** The image that `state.parent` names, at its snapshot. */
  readonly parent: ImageLayer | undefined;
  /** Undefined: the parent's bytes are used unchanged. */
  parentView: ParentView | undefined;
}

/** A clone's view of its parent if the bytes differ: with encryption, where each layer may have its own key. */
export interface ParentView {
  /** Bytes of the clone, from its start, for which the parent has data. */
  bytes(clone: ImageLayer, parent: ImageLayer): number;

  /** As `ImageIo.read` of the parent, with the clone's offsets and bytes. */
  read(clone: ImageLayer, parent: ImageLayer, request: ImageRequest): void;

  /** Called with all data that an object gets from the parent, before the object is created. */
  seal(clone: ImageLayer, objectNumber: number, data: Buffer): void;
}

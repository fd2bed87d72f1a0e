import type { ImageState } from "../image-state.ts";
import type { Layout } from "../striping/layout.ts";
import type { ImageOperations } from "./image-operations.ts";
import type { ImageRequest } from "./image-request.ts";

/** One image of a chain of clones and parents. */
export interface ImageLayer extends ImageOperations {
  readonly state: ImageState;
  /** The snapshot that is read; NO_SNAP for the image as it is now. */
  readonly snapId: number;
  readonly layout: Layout;
  /** The image that `state.parent` names, at its snapshot. */
  readonly parent: ImageLayer | undefined;
  /** Undefined: the parent's bytes are shown as they are. */
  parentView: ParentView | undefined;
}

/** How a clone sees its parent where that is not byte for byte: with encryption, whose keys differ from layer to layer. */
export interface ParentView {
  /** Bytes of the clone, from its start, for which the parent has data. */
  bytes(clone: ImageLayer, parent: ImageLayer): number;

  /** As `ImageIo.read` of the parent, with the clone's offsets and bytes. */
  read(clone: ImageLayer, parent: ImageLayer, request: ImageRequest): void;

  /** Called with all data that an object gets from the parent, before the object is made of it. */
  seal(clone: ImageLayer, objectNumber: number, data: Buffer): void;
}

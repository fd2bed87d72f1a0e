import type { ImageIo } from "./image-io.ts";
import type { ImageRequest } from "./image-request.ts";

/** How a clone sees its parent, where that is not byte for byte: with encryption, whose keys differ from layer to layer. */
export interface ParentView {
  /** Bytes of the clone, from its start, that the parent has something for. */
  bytes(clone: ImageIo, parent: ImageIo): number;

  /** As `ImageIo.read` of the parent, with offsets and bytes as the clone has them. */
  read(clone: ImageIo, parent: ImageIo, request: ImageRequest): void;

  /** Called with all that an object gets of the parent, before it is made of that. */
  seal(clone: ImageIo, objectNumber: number, data: Buffer): void;
}

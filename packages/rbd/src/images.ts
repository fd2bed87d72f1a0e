import type { Cluster, Pool } from "@siphon/rados";
import type { CreateOptions } from "./directory/create-image.ts";
import type { OpenOptions } from "./image/open-options.ts";
import type { Image } from "./image.ts";

/** A place of images: a pool, or a namespace in it. `ImagePool` is one. */
export interface Images {
  readonly cluster: Cluster;
  readonly pool: Pool;
  /**
   * Creates an image of zeros.
   *
   * @param size bytes
   * @returns its id
   */
  create(name: string, size: number, options?: CreateOptions): Promise<string>;
  /** @throws RbdError SIPHON_RBD_NO_IMAGE, SIPHON_RBD_NO_SNAPSHOT, SIPHON_RBD_UNSUPPORTED */
  open(name: string, options?: OpenOptions): Promise<Image>;
  /** Opens an image by its id, whatever its name is by now. */
  openById(id: string, options?: OpenOptions): Promise<Image>;
  /** Removes an image by its id permanently, whatever the settings say. */
  discard(id: string): Promise<void>;
}

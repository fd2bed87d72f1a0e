import type { CacheOptions } from "../cache/image-cache.ts";
import type { IoLimits } from "../io/admission.ts";

export interface OpenOptions {
  /** Name or id of a snapshot to read; the image is read-only then. */
  readonly snapshot?: string | number;
  readonly readOnly?: boolean;
  /** Gets the lock at once and keeps it until the image is closed, whoever asks for it. */
  readonly exclusive?: boolean;
  /**
   * False: what others change is not seen, and nobody sees that this client has the image open; for images that are read-only.
   */
  readonly watch?: boolean;
  readonly limits?: IoLimits;
  readonly discardGranularity?: number;
  /**
   * What is read and written goes through a cache; false for none. Otherwise as the configuration has it: none, unless it
   * says `rbd_cache = true`.
   */
  readonly cache?: CacheOptions | false;
}

/** To read the image, or a snapshot of it, once: what others change meanwhile is not seen. */
export function toRead(snapshot?: string | number): OpenOptions {
  return { readOnly: true, watch: false, ...(snapshot !== undefined && { snapshot }) };
}

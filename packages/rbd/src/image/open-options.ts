import { NO_SNAP } from "@siphon/rados";
import type { CacheOptions } from "../cache/image-cache.ts";
import { RbdError } from "../errors.ts";
import { type ImageHeader, userSnapshot } from "../header/image-header.ts";
import type { IoLimits } from "../io/admission.ts";

export interface OpenOptions {
  /** Name or id of a snapshot to read; the image is read-only then. */
  readonly snapshot?: string | number;
  readonly readOnly?: boolean;
  /** Gets the lock at once and keeps it until the image is closed, whoever asks for it. */
  readonly exclusive?: boolean;
  /** Waits for a lock that its owner keeps, instead of failing: for an image that several clients use by turns (`Image.locks.keep`). */
  readonly takesTurns?: boolean;
  /**
   * False: what others change is not seen, and nobody sees that this client has the image open; for images that are read-only.
   */
  readonly watch?: boolean;
  readonly limits?: IoLimits;
  /** Discards keep what does not fill units of this many bytes; 0 for exact ones. Otherwise as rbd_discard_granularity_bytes says. */
  readonly discardGranularity?: number;
  /**
   * The image is served by so many worker threads beside this one, each a client of the cluster: see `Image.workers`. Workers have no cache
   * and no decrypted side. `limits` are those of each.
   */
  readonly workers?: number | undefined;
  /** Seconds without an answer of a worker, after which it hangs, and the process ends; default 30. */
  readonly workerTimeout?: number | undefined;
  /**
   * Reads and writes go through a cache; false for none. Default: as the configuration has it, which is none unless it says
   * `rbd_cache = true`.
   */
  readonly cache?: CacheOptions | false;
}

/** To read the image, or a snapshot of it, once: what others change meanwhile is not seen. */
export function toRead(snapshot?: string | number): OpenOptions {
  return { readOnly: true, watch: false, ...(snapshot !== undefined && { snapshot }) };
}

/**
 * The id of the snapshot that `OpenOptions.snapshot` names; NO_SNAP for the image as it is now.
 *
 * @throws RbdError SIPHON_RBD_NO_SNAPSHOT
 */
export function snapIdOf(header: ImageHeader, snapshot: string | number | undefined): number {
  if (snapshot === undefined) return NO_SNAP;
  const found =
    typeof snapshot === "number" ? header.snapshots.get(snapshot) : userSnapshot(header, snapshot);
  if (found !== undefined) return found.id;
  const what = typeof snapshot === "number" ? `with id ${snapshot}` : snapshot;
  throw new RbdError(
    "SIPHON_RBD_NO_SNAPSHOT",
    `image ${header.name} has no snapshot ${what}: error setting snapshot context`,
  );
}

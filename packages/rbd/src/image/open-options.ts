import { NO_SNAP } from "@siphon/rados";
import type { CacheOptions } from "../cache/image-cache.ts";
import { RbdError } from "../errors.ts";
import { type ImageHeader, userSnapshot } from "../header/image-header.ts";
import type { IoLimits } from "../io/admission.ts";

export interface OpenOptions {
  /** Name or id of a snapshot to read; the image is read-only then. */
  readonly snapshot?: string | number;
  readonly readOnly?: boolean;
  /** Acquires the lock at once and keeps it until the image is closed. */
  readonly exclusive?: boolean;
  /**
   * Waits for a lock that its owner keeps, instead of failing: for an image that several clients use in turn
   * (`Image.locks.keep`).
   */
  readonly takesTurns?: boolean;
  /**
   * False: changes by others are not seen, and others do not see that this client has the image open. Only for
   * read-only images.
   */
  readonly watch?: boolean;
  readonly limits?: IoLimits;
  /**
   * Discards skip parts that do not fill units of this many bytes; 0 for exact discards. Default:
   * rbd_discard_granularity_bytes.
   */
  readonly discardGranularity?: number;
  /**
   * Number of worker threads that serve the image beside this one, each a client of the cluster: see `Image.workers`.
   * Workers have no cache and cannot decrypt. `limits` apply to each.
   */
  readonly workers?: number | undefined;
  /** Seconds without an answer after which a worker counts as hung and the process ends; default 30. */
  readonly workerTimeout?: number | undefined;
  /**
   * Reads and writes go through a cache; false for none. Default: none unless the configuration says `rbd_cache =
   * true`.
   */
  readonly cache?: CacheOptions | false;
}

/** Options to read an image or snapshot once: changes by others are not seen. */
export function toRead(snapshot?: string | number): OpenOptions {
  return { readOnly: true, watch: false, ...(snapshot !== undefined && { snapshot }) };
}

/**
 * The id of the snapshot that `OpenOptions.snapshot` names; NO_SNAP for the current image.
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

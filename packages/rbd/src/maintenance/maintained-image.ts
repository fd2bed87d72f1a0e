import type { Cluster, Pool } from "@siphon/rados";
import type { ClassCall } from "../cls/class-call.ts";
import type { ImageHeader } from "../header/image-header.ts";
import type { ImageIo } from "../io/image-io.ts";
import type { ExclusiveLock } from "../lock/exclusive-lock.ts";
import type { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import type { OnProgress } from "../progress.ts";
import type { Settings } from "../settings/settings.ts";
import type { NotifyMessage, RequestId } from "../watch/notify-message.ts";
import type { OwnerTask } from "../watch/owner-task.ts";

/** The interface of an open image for maintenance, which changes the image as a whole. `OpenImage` implements it. */
export interface MaintainedImage {
  readonly cluster: Cluster;
  /** Pool of the header, with the image's namespace. */
  readonly pool: Pool;
  readonly header: ImageHeader;
  /** Name of the header object. */
  readonly headerName: string;
  readonly settings: Settings;
  readonly io: ImageIo;
  readonly maps: StoredObjectMaps;
  /** Undefined for images without feature exclusive-lock, and for read-only ones. */
  readonly lock: ExclusiveLock | undefined;
  readonly requests: {
    /** Number of a task that is requested from the lock's owner. */
    newId(): Promise<RequestId>;
    /** Carries a task out, or requests it from the lock's owner. */
    perform(task: OwnerTask, progress?: OnProgress): Promise<void>;
  };
  /** Cookie of the watch on the header. */
  watchCookie(): Promise<bigint>;
  /** Changes the header atomically, and only while this client has the lock. */
  changeHeader(...calls: readonly ClassCall[]): Promise<void>;
  /** Reads the header again; when this returns, the image follows it. */
  refresh(): Promise<void>;
  /** Applies a changed header, and notifies all other clients that have the image open. */
  announce(): Promise<void>;
  /** Notifies the other clients that have the image open; their answers do not matter. */
  tell(message: NotifyMessage): Promise<void>;
  /** Changes the header, the object map as a whole, or objects without the map, while no write is under way. */
  whilePaused(change: () => Promise<void>): Promise<void>;
  /** Forbids I/O beyond `size`, the future end of the image; undefined: beyond the header's size. */
  endAt(size: number | undefined): void;
  /** Whether the image is closing: starts no more tasks. */
  readonly isClosed: boolean;
  /** Marks the object map, or that of a snapshot, as invalid until it is rebuilt. */
  invalidateMap(snapId: number | undefined): Promise<void>;
  /** Uses the stored object map from now on, if it is valid and this client has the lock. */
  reloadMap(): Promise<void>;
  /** Opens a related image. */
  openOther(pool: Pool, id: string, options?: WithoutParents): Promise<OtherImage>;
}

export interface WithoutParents {
  /** The parent may be gone already: for an image that is only to be removed or put away, and not read. */
  readonly withoutParents?: boolean;
}

/** An image that maintenance opens and closes. */
export interface OtherImage extends MaintainedImage {
  close(): Promise<void>;
}

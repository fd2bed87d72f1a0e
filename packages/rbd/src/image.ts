import { type Cluster, NO_SNAP, type Notification, type Pool, type Watcher } from "@siphon/rados";
import { ask } from "./cls/run.ts";
import { getSnapshotLimit } from "./cls/snapshot.ts";
import { type ChildImage, childrenOf, descendantsOf, sortedChildren } from "./directory/children.ts";
import { EncryptedImage, type EncryptedImageOptions } from "./encryption/encrypted-image.ts";
import { EncryptionError } from "./encryption/encryption-error.ts";
import { imageKey, type LayerKey, loadLayers } from "./encryption/encryption-layers.ts";
import { LayeredParents } from "./encryption/layered-parents.ts";
import { assertOneKey } from "./encryption/one-key.ts";
import { RbdError } from "./errors.ts";
import type { ImageHeader } from "./header/image-header.ts";
import { ImageBytes } from "./image/image-bytes.ts";
import { Locks } from "./image/locks.ts";
import { Metadata } from "./image/metadata.ts";
import { OpenImage } from "./image/open-image.ts";
import type { OpenOptions } from "./image/open-options.ts";
import type { QuiesceWatcher } from "./image/quiesce-watchers.ts";
import { Snapshots } from "./image/snapshots.ts";
import type { WriteHold } from "./image/write-holds.ts";
import { planFeatures } from "./maintenance/features.ts";
import { type FoundZeros, findZeros } from "./maintenance/find-zeros.ts";
import { assertHasParent } from "./maintenance/flatten.ts";
import { provision } from "./maintenance/provision.ts";
import { assertSparseSize } from "./maintenance/sparsify.ts";
import { checkObjectMap, type ObjectMapError, rebuildObjectMap } from "./object-map/rebuild.ts";
import type { OnProgress } from "./progress.ts";
import { ImageDiff } from "./transfer/image-diff/image-diff.ts";
import type { DiffSource } from "./transfer/image-ends.ts";
import { defaultSparseSize } from "./transfer/sparse.ts";
import { assertWorkers, type ImageWorkers } from "./workers/image-workers.ts";

/**
 * An open image: its bytes, and operations on the image as a whole. Errors are RbdErrors, or RadosErrors with the OSD's
 * errno; those of requests are in `result` and `error`.
 *
 * ```ts
 * await using image = await images.open("disk");
 * await image.write(0, Buffer.from("hello"));
 * ```
 *
 * The first write takes the exclusive lock of an image with feature exclusive-lock; other clients get it when they
 * request it. Changes of the image by others are seen at once.
 */
export class Image extends ImageBytes implements AsyncDisposable {
  readonly snapshots: Snapshots;
  readonly metadata: Metadata;
  readonly locks: Locks;
  readonly #image: OpenImage;

  private constructor(image: OpenImage) {
    super(image);
    this.#image = image;
    this.snapshots = new Snapshots(image);
    this.metadata = new Metadata(image);
    this.locks = new Locks(image);
  }

  /** @param id of the image; `ImagePool.open` finds it by its name */
  static async open(
    cluster: Cluster,
    pool: Pool,
    id: string,
    name: string,
    options: OpenOptions = {},
  ): Promise<Image> {
    if (options.workers !== undefined) assertWorkers(name, options);
    return new Image(await OpenImage.open(cluster, pool, id, name, options));
  }

  get name(): string {
    return this.header.name;
  }

  get id(): string {
    return this.header.id;
  }

  /** The content of the header, as of the last change. */
  get header(): ImageHeader {
    return this.#image.header;
  }

  /** Id of the snapshot that was opened; undefined for the image as it is now. */
  get snapId(): number | undefined {
    const { snapId } = this.#image.io;
    return snapId < 0 ? undefined : snapId;
  }

  /**
   * The reason why writes wait: the changed header (`header`), the lost watch on it (`watch`), or the lock, which
   * another client keeps (`lock`); undefined: writes do not wait. If it lasts, it is also published on the diagnostics
   * channel `siphon:rbd:image`.
   */
  get writeHold(): WriteHold | undefined {
    return this.#image.writeHold;
  }

  /** The worker threads, if the image was opened with some. */
  get workers(): ImageWorkers | undefined {
    return this.#image.workers;
  }

  /** Calls back with each new size, in bytes. */
  onResize(listener: (size: number) => void): Disposable {
    return this.#image.onResize(listener);
  }

  /** Calls back after each change of the header or metadata by any client, when the header was read again. */
  onChange(listener: () => void): Disposable {
    return this.#image.onChange(listener);
  }

  /**
   * Registers a callback that quiesces this client before a snapshot of the image is taken, by any client, until
   * disposed of.
   */
  onQuiesce(watcher: QuiesceWatcher): Disposable {
    return this.#image.quiesceWatchers.add(watcher);
  }

  /** Writes back and empties the cache; does nothing without a cache. */
  async invalidateCache(): Promise<void> {
    await this.flushCache();
    this.#image.io.generation++;
  }

  /**
   * Opens the decrypted view of an encrypted image, as `rbd encryption load` does. From then on flatten and resize use
   * its keys.
   *
   * @param keys of the image, its parent, the parent's parent; the last key is tried on all further ancestors
   * @throws EncryptionError if a layer does not open, or is already open
   */
  async openEncrypted(keys: readonly LayerKey[], options?: EncryptedImageOptions): Promise<EncryptedImage> {
    const { io, workers } = this.#image;
    if (workers !== undefined) {
      throw new RbdError("SIPHON_RBD_UNSUPPORTED", `image ${this.name} has workers, which cannot decrypt it`);
    }
    if (io.parentView !== undefined) {
      throw new EncryptionError(
        "SIPHON_ENCRYPTION_LAYERS",
        `encryption of image ${this.name} is already open`,
      );
    }
    const layers = await loadLayers(io, keys);
    const { volume, cipher } = layers.get(imageKey(io))!;
    io.parentView = new LayeredParents(layers);
    // A cache may have undecrypted bytes of the parent.
    io.generation++;
    return new EncryptedImage(this, volume, cipher, options);
  }

  /**
   * @throws EncryptionError for a clone with its own key that was opened without it, so that its bytes have different
   * keys
   */
  assertOneKey(): Promise<void> {
    return assertOneKey(this.#image.io);
  }

  /**
   * Makes the image larger or, if allowed, smaller: data beyond the new end is lost.
   *
   * @param size bytes
   */
  async resize(
    size: number,
    { allowShrink = false, onProgress }: { allowShrink?: boolean; onProgress?: OnProgress } = {},
  ): Promise<void> {
    const { requests } = this.#image;
    const id = await requests.newId();
    await requests.perform({ type: "resize", id, size, allowShrink }, onProgress);
  }

  /** Copies the parent's data into a clone, and detaches it from the parent. */
  async flatten({ onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    const { requests, io, header } = this.#image;
    assertHasParent(header);
    // Another owner of the lock does not have the keys.
    if (io.parentView !== undefined) await this.locks.acquire();
    await requests.perform({ type: "flatten", id: await requests.newId() }, onProgress);
  }

  /**
   * Frees the space of zeros: whole objects, and parts of them.
   *
   * @param sparseSize bytes of a block that is freed if it is all zeros: a power of two from 4 KiB to an object's size
   */
  async sparsify({
    sparseSize = defaultSparseSize,
    onProgress,
  }: {
    sparseSize?: number;
    onProgress?: OnProgress;
  } = {}): Promise<void> {
    assertSparseSize(this.header, sparseSize);
    const { requests } = this.#image;
    await requests.perform({ type: "sparsify", id: await requests.newId(), sparseSize }, onProgress);
  }

  /** Bytes that `sparsify` would free; reads the whole image. */
  findZeros(sparseSize = defaultSparseSize, onProgress?: OnProgress): Promise<FoundZeros> {
    assertSparseSize(this.header, sparseSize);
    return findZeros(this.#image, sparseSize, onProgress);
  }

  /** Clones of the image's snapshots, or of one of them, sorted by name. */
  async children(snapId?: number): Promise<ChildImage[]> {
    const { cluster, pool, header } = this.#image;
    const snaps = snapId === undefined ? header.snapContext.snaps : [snapId];
    const found = await Promise.all(snaps.map((id) => childrenOf(cluster, pool, header, id)));
    return sortedChildren(found.flat());
  }

  /** As `children`, with the clones of clones at every depth. */
  async descendants(snapId?: number): Promise<ChildImage[]> {
    const { cluster, pool, header } = this.#image;
    const snaps = snapId === undefined ? header.snapContext.snaps : [snapId];
    return sortedChildren(await descendantsOf(cluster, pool, header, snaps));
  }

  /** Writes zeros to the whole image, so that its space is allocated. */
  provision({ onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    return provision(this, onProgress);
  }

  /** Reads the header again. Changes are followed automatically; use this to wait for another client's change. */
  refresh(): Promise<void> {
    return this.#image.refresh();
  }

  /**
   * The changes of the image since an earlier snapshot, or since nothing; the lock is not needed.
   *
   * @throws RbdError SIPHON_RBD_NO_SNAPSHOT
   */
  diff({ from, wholeObject, withParent }: DiffOptions = {}): DiffSource {
    const { cluster, io, header } = this.#image;
    const fromSnapId = from === undefined ? 0 : this.snapshots.named(from).id;
    if (fromSnapId > (this.snapId ?? Number.POSITIVE_INFINITY)) {
      throw new RbdError("SIPHON_RBD_INVALID", `snapshot ${from} of image ${header.name} is not older`);
    }
    return new ImageDiff(cluster, io, { fromSnapId, wholeObject, withParent });
  }

  /** Compares the object map, or a snapshot's, with the objects. */
  checkObjectMap({ snapshot, onProgress }: ObjectMapTask = {}): Promise<ObjectMapError[]> {
    return checkObjectMap(this.#image, this.#snapIdOf(snapshot), onProgress);
  }

  /** Rebuilds the object map, or a snapshot's, from the objects. */
  async rebuildObjectMap({ snapshot, onProgress }: ObjectMapTask = {}): Promise<void> {
    const image = this.#image;
    // The lock's owner rebuilds only the image's own map on request, not a snapshot's.
    if (snapshot !== undefined) return rebuildObjectMap(image, this.#snapIdOf(snapshot), onProgress);
    const id = await image.requests.newId();
    await image.requests.perform({ type: "rebuildObjectMap", id }, onProgress);
  }

  /**
   * Enables or disables features, together with those that belong to them. A new object map is invalid until it is
   * rebuilt.
   *
   * @param features `imageFeature`s
   * @throws RbdError SIPHON_RBD_INVALID for a change that the image does not allow
   */
  async updateFeatures(features: number, enable: boolean): Promise<void> {
    const { requests, header } = this.#image;
    planFeatures(header.features, features, enable);
    await requests.perform({ type: "updateFeatures", id: await requests.newId(), features, enable });
  }

  /** The clients that have the image open, including this one. */
  watchers(): Promise<Watcher[]> {
    return this.#image.pool.listWatchers(this.#image.headerName);
  }

  /**
   * Calls back with all notifications of the image, until disposed of.
   *
   * @param listener gets the cookie of the watch as well
   */
  async onNotification(
    listener: (notification: Notification, cookie: bigint) => void,
  ): Promise<AsyncDisposable> {
    const { pool, headerName } = this.#image;
    return pool.watchEvents(headerName, {
      notified: (notification) => {
        listener(notification, notification.cookie);
        notification.acknowledge().catch(() => {});
      },
      lost: () => {},
    });
  }

  /** Maximum number of snapshots; undefined for no limit. */
  snapshotLimit(): Promise<number | undefined> {
    return ask(this.#image.pool, this.#image.headerName, getSnapshotLimit);
  }

  /**
   * Waits for requests in flight, and releases the lock.
   *
   * @throws the reason why acknowledged writes of a cache failed; otherwise, why the lock could not be released
   */
  async close(): Promise<void> {
    try {
      await this.flushCache();
    } catch (error) {
      await this.#image.close().catch(() => {});
      throw error;
    }
    await this.#image.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #snapIdOf(snapshot: string | undefined): number {
    return snapshot === undefined ? NO_SNAP : this.snapshots.named(snapshot).id;
  }
}

export interface DiffOptions {
  /** Name of the earlier snapshot, or its id (for snapshots of groups). */
  from?: string | number | undefined;
  /** Report changed objects as a whole, which object maps can do without requests to OSDs. */
  wholeObject?: boolean | undefined;
  /** Whether a clone's data from its parent counts; default true. */
  withParent?: boolean | undefined;
}

export interface ObjectMapTask {
  /** Name of a snapshot; undefined: the current image. */
  snapshot?: string | undefined;
  onProgress?: OnProgress;
}

import {
  type Cluster,
  type CopySource,
  NO_SNAP,
  type Notification,
  type Pool,
  type Watcher,
} from "@siphon/rados";
import { cacheSettings } from "./cache/cache-settings.ts";
import { ImageCache } from "./cache/image-cache.ts";
import { type LockInfo, lock, unlock } from "./cls/lock.ts";
import { getMetadata, listMetadata, removeMetadata, setMetadata } from "./cls/metadata.ts";
import { ask, changeAll } from "./cls/run.ts";
import { getSnapshotLimit } from "./cls/snapshot.ts";
import { type ChildImage, childrenOf, descendantsOf, sortedChildren } from "./directory/children.ts";
import { EncryptedImage, type EncryptedImageOptions } from "./encryption/encrypted-image.ts";
import { EncryptionError } from "./encryption/encryption-error.ts";
import { imageKey, type LayerKey, loadLayers } from "./encryption/encryption-layers.ts";
import { LayeredParents } from "./encryption/layered-parents.ts";
import { assertOneKey } from "./encryption/one-key.ts";
import { RbdError, requestFailure } from "./errors.ts";
import type { ImageHeader } from "./header/image-header.ts";
import { OpenImage } from "./image/open-image.ts";
import type { OpenOptions } from "./image/open-options.ts";
import { Snapshots } from "./image/snapshots.ts";
import type { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "./io/image-request.ts";
import { ObjectCopy } from "./io/object-copy.ts";
import { BufferRequest, CompareRequest, PatternRequest } from "./io/promise-request.ts";
import type { IoCounters, Latencies } from "./io/statistics.ts";
import { breakLockOf, imageLockName, readImageLock } from "./lock/locker.ts";
import { disableFeatures, enableFeatures, planFeatures } from "./maintenance/features.ts";
import { type FoundZeros, findZeros } from "./maintenance/find-zeros.ts";
import { provision } from "./maintenance/provision.ts";
import { assertSparseSize } from "./maintenance/sparsify.ts";
import { checkObjectMap, type ObjectMapError, rebuildObjectMap } from "./object-map/rebuild.ts";
import type { OnProgress } from "./progress.ts";
import { ImageDiff } from "./transfer/image-diff/image-diff.ts";
import type { DiffSource } from "./transfer/image-ends.ts";
import { defaultSparseSize } from "./transfer/sparse.ts";

/**
 * An open image. What is asked of it comes in two forms: with a request of the caller's own (`ImageRequest`), which is called
 * back, or with bytes and a Promise. Errors are RbdErrors, or RadosErrors with the OSD's errno; those of requests are
 * in `result` and `error`.
 *
 * ```ts
 * await using image = await images.open("disk");
 * await image.write(0, Buffer.from("hello"));
 * ```
 *
 * The lock of an image that has one is taken by the first write, and given to other clients who ask for it. Changes that others make
 * are seen at once.
 */
export class Image implements AsyncDisposable {
  readonly snapshots: Snapshots;
  readonly #image: OpenImage;

  private constructor(image: OpenImage) {
    this.#image = image;
    this.snapshots = new Snapshots(image);
  }

  /** @param id of the image; `ImagePool.open` finds it by its name */
  static async open(
    cluster: Cluster,
    pool: Pool,
    id: string,
    name: string,
    options: OpenOptions = {},
  ): Promise<Image> {
    const cache = options.cache ?? cacheSettings(cluster);
    return new Image(await OpenImage.open(cluster, pool, id, name, { ...options, ...(cache && { cache }) }));
  }

  get name(): string {
    return this.header.name;
  }

  get id(): string {
    return this.header.id;
  }

  /** In bytes, as it is now; of the snapshot, if one was opened. */
  get size(): number {
    return this.#image.io.size;
  }

  get readOnly(): boolean {
    return this.#image.readOnly;
  }

  /** Whether writes are acknowledged, by a cache, before they last: until a flush. */
  get volatile(): boolean {
    const { front } = this.#image;
    return front instanceof ImageCache && front.volatile;
  }

  /** Bytes of an object. */
  get optimalIoSize(): number {
    return this.header.objectSize;
  }

  /** All that the header says, as of the last change. */
  get header(): ImageHeader {
    return this.#image.header;
  }

  /** Of the snapshot that was opened; undefined for the image as it is now. */
  get snapId(): number | undefined {
    const { snapId } = this.#image.io;
    return snapId < 0 ? undefined : snapId;
  }

  /** Whether this client has the image's lock. */
  get ownsLock(): boolean {
    return this.#image.lock?.owned ?? false;
  }

  get counters(): IoCounters {
    return this.#image.io.counters;
  }

  get latencies(): Latencies {
    return this.#image.io.latencies;
  }

  /** Calls back with each new size, in bytes. */
  onResize(listener: (size: number) => void): Disposable {
    return this.#image.onResize(listener);
  }

  read(request: ImageRequest): void;
  /** @returns fewer bytes where the image ends before */
  read(offset: number, length: number): Promise<Buffer>;
  read(request: ImageRequest | number, length = 0): undefined | Promise<Buffer> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.read(request);
      return;
    }
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.size - request)));
    return this.#promised("read", (settling) => {
      const into = new BufferRequest(request, bytes.length, bytes, settling);
      io.read(into);
      return into;
    }).then(({ length: got }) => bytes.subarray(0, got));
  }

  write(request: ImageRequest): void;
  /** @param bytes must stay as they are until the Promise settles */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  write(request: ImageRequest | number, bytes?: Uint8Array): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.write(request);
      return;
    }
    return this.#done("write", (settling) => {
      io.write(new BufferRequest(request, bytes!.length, bytes!, settling));
    });
  }

  flush(request: ImageRequest): void;
  /** What was written before lasts when it is done. */
  flush(): Promise<void>;
  flush(request?: ImageRequest): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (request !== undefined) {
      io.flush(request);
      return;
    }
    return this.#done("flush", (settling) => io.flush(new BufferRequest(0, 0, nothing, settling)));
  }

  /**
   * Makes an object of the image a copy of another object of the cluster, moved between OSDs. For images that are not striped and
   * have no parent.
   *
   * @throws RadosError ENOENT where there is no such object
   */
  copyObject(objectNumber: number, source: CopySource): Promise<void> {
    const { io, header } = this.#image;
    return this.#done("copy an object to", (settling) => {
      io.write(new ObjectCopy(objectNumber * header.objectSize, header.objectSize, source, settling));
    });
  }

  discard(request: ImageRequest): void;
  /** The bytes need not be kept; they are read as zeros, or as they were at the ends of the range. */
  discard(offset: number, length: number): Promise<void>;
  discard(request: ImageRequest | number, length = 0): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.discard(request);
      return;
    }
    return this.#done("discard", (settling) => {
      io.discard(new BufferRequest(request, length, nothing, settling));
    });
  }

  writeZeroes(request: ImageRequest): void;
  writeZeroes(offset: number, length: number): Promise<void>;
  writeZeroes(request: ImageRequest | number, length = 0): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.writeZeroes(request);
      return;
    }
    return this.#done("write zeros to", (settling) => {
      io.writeZeroes(new BufferRequest(request, length, nothing, settling));
    });
  }

  writeSame(request: WriteSameRequest): void;
  /** @param length a multiple of the pattern's */
  writeSame(offset: number, length: number, pattern: Uint8Array): Promise<void>;
  writeSame(request: WriteSameRequest | number, length = 0, pattern?: Uint8Array): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.writeSame(request);
      return;
    }
    return this.#done("write to", (settling) => {
      io.writeSame(new PatternRequest(request, length, pattern!, settling));
    });
  }

  compareAndWrite(request: CompareAndWriteRequest): void;
  /**
   * Writes `bytes` if the image has `expected`, within 512 bytes that start at a multiple of 512.
   *
   * @returns undefined if it was written, or else the first byte of the image that differs
   */
  compareAndWrite(offset: number, expected: Uint8Array, bytes: Uint8Array): Promise<number | undefined>;
  compareAndWrite(
    request: CompareAndWriteRequest | number,
    expected?: Uint8Array,
    bytes?: Uint8Array,
  ): undefined | Promise<number | undefined> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.compareAndWrite(request);
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const compare: CompareRequest = new CompareRequest(request, expected!, bytes!, {
      resolve: () => resolve(undefined),
      reject: (result, error) => {
        if (result === mismatch) resolve(compare.mismatchOffset);
        else reject(this.#failed("compare and write", result, error));
      },
    });
    io.compareAndWrite(compare);
    return promise;
  }

  /**
   * The decrypted side of an encrypted image, as `rbd encryption load` opens it; flattening and resizing the image go by its keys
   * from then on.
   *
   * @param keys of the image, its parent, the parent's parent; the last one is tried on all further ones
   * @throws EncryptionError where a layer does not open, or is open already
   */
  async openEncrypted(keys: readonly LayerKey[], options?: EncryptedImageOptions): Promise<EncryptedImage> {
    const { io } = this.#image;
    if (io.parentView !== undefined) {
      throw new EncryptionError(
        "SIPHON_ENCRYPTION_LAYERS",
        `encryption of image ${this.name} is open already`,
      );
    }
    const layers = await loadLayers(io, keys);
    const { volume, cipher } = layers.get(imageKey(io))!;
    io.parentView = new LayeredParents(layers);
    // A cache may have the parent's bytes as they are.
    io.generation++;
    return new EncryptedImage(this, volume, cipher, options);
  }

  /** @throws EncryptionError for a clone that has a key of its own and was not opened with it, so that its bytes have different keys */
  assertOneKey(): Promise<void> {
    return assertOneKey(this.#image.io);
  }

  /**
   * Makes the image larger or, if allowed, smaller: what lies beyond the new end is lost then.
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

  /** Gives a clone all of its parent's data, and lets the parent go. */
  async flatten({ onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    const { requests, io } = this.#image;
    // Another owner of the lock would not have the keys.
    if (io.parentView !== undefined) await this.acquireLock();
    await requests.perform({ type: "flatten", id: await requests.newId() }, onProgress);
  }

  /**
   * Gives back what zeros take: whole objects, and parts of them.
   *
   * @param sparseSize bytes that are looked at together: a power of two from 4 KiB to an object's size
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

  /** What `sparsify` would give back; reads all there is. */
  findZeros(sparseSize = defaultSparseSize, onProgress?: OnProgress): Promise<FoundZeros> {
    assertSparseSize(this.header, sparseSize);
    return findZeros(this.#image, sparseSize, onProgress);
  }

  /** Clones of the image's snapshots, or of one of them; in the order of their names. */
  async children(snapId?: number): Promise<ChildImage[]> {
    const { cluster, pool, header } = this.#image;
    const snaps = snapId === undefined ? header.snapContext.snaps : [snapId];
    const found = await Promise.all(snaps.map((id) => childrenOf(cluster, pool, header, id)));
    return sortedChildren(found.flat());
  }

  /** The same with clones of the clones, however far down. */
  async descendants(snapId?: number): Promise<ChildImage[]> {
    const { cluster, pool, header } = this.#image;
    const snaps = snapId === undefined ? header.snapContext.snaps : [snapId];
    return sortedChildren(await descendantsOf(cluster, pool, header, snaps));
  }

  /** Writes zeros to all of the image, so that its space is taken. */
  provision({ onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    return provision(this, onProgress);
  }

  /** Reads the header again; there is no need to, but for who waits for somebody else's change. */
  refresh(): Promise<void> {
    return this.#image.refresh();
  }

  /** Waits until the lock is this client's. */
  async acquireLock(signal?: AbortSignal): Promise<void> {
    await this.#image.lock?.acquire(signal);
  }

  /** Gives the lock away, when the writes under way are done; the next write asks for it again. */
  async releaseLock(): Promise<void> {
    await this.#image.lock?.release();
  }

  /**
   * What differs in the image from an earlier snapshot, or from nothing; the lock is not needed.
   *
   * @throws RbdError SIPHON_RBD_NO_SNAPSHOT
   */
  diff({ from, wholeObject, withParent }: DiffOptions = {}): DiffSource {
    const { cluster, io, header } = this.#image;
    const fromSnapId = from === undefined ? 0 : this.snapshots.named(from).id;
    if (fromSnapId > (this.snapId ?? Number.POSITIVE_INFINITY)) {
      throw new RbdError("SIPHON_RBD_INVALID", `snapshot ${from} of image ${header.name} is the later one`);
    }
    return new ImageDiff(cluster, io, { fromSnapId, wholeObject, withParent });
  }

  /** Compares the object map, or a snapshot's, with the objects that there are. */
  checkObjectMap({ snapshot, onProgress }: ObjectMapTask = {}): Promise<ObjectMapError[]> {
    return checkObjectMap(this.#image, this.#snapIdOf(snapshot), onProgress);
  }

  /** Makes the object map, or a snapshot's, say what objects there are. */
  rebuildObjectMap({ snapshot, onProgress }: ObjectMapTask = {}): Promise<void> {
    return rebuildObjectMap(this.#image, this.#snapIdOf(snapshot), onProgress);
  }

  /** Names and values that people, or programs, have given the image. */
  async metadata(): Promise<Map<string, string>> {
    const { pool, headerName } = this.#image;
    const all = new Map<string, string>();
    for (let after = ""; ; ) {
      const page = await ask(pool, headerName, listMetadata(after, 64));
      for (const [name, value] of page) all.set(name, value.toString("utf8"));
      if (page.size < 64) return all;
      after = [...page.keys()].at(-1)!;
    }
  }

  async setMetadata(values: ReadonlyMap<string, string>): Promise<void> {
    if (values.size === 0) return;
    await changeAll(this.#image.pool, this.#image.headerName, [setMetadata(values)]);
    await this.#image.announce();
  }

  /** @throws RadosError ENOENT for a name that has no value */
  async getMetadata(name: string): Promise<string> {
    const { pool, headerName } = this.#image;
    return (await ask(pool, headerName, getMetadata(name))).toString("utf8");
  }

  async removeMetadata(name: string): Promise<void> {
    await changeAll(this.#image.pool, this.#image.headerName, [removeMetadata(name)]);
    await this.#image.announce();
  }

  /**
   * Enables or disables features; those that belong together come and go together. Object maps are empty, and are to be rebuilt, after
   * they were enabled.
   *
   * @param features `imageFeature`s
   * @throws RbdError SIPHON_RBD_INVALID for a change that the image does not allow
   */
  async updateFeatures(features: number, enable: boolean): Promise<void> {
    const image = this.#image;
    const change = async () => {
      const planned = planFeatures(image.header.features, features, enable);
      await (enable ? enableFeatures(image, planned) : disableFeatures(image, planned));
    };
    planFeatures(image.header.features, features, enable);
    if (image.lock === undefined) return change();
    await image.lock.acquire();
    await image.lock.whileOwned(change);
  }

  /**
   * Locks the image by hand, which keeps others from it who do so too, and clients with feature exclusive-lock.
   *
   * @param cookie a name for this lock
   * @param tag shares the lock with all who give the same; undefined: it is exclusive
   * @throws RadosError EBUSY, EEXIST while somebody has it
   */
  async addLock(cookie: string, tag?: string): Promise<void> {
    const { pool, headerName } = this.#image;
    const type = tag === undefined ? "exclusive" : "shared";
    await changeAll(pool, headerName, [lock({ name: imageLockName, type, cookie, tag: tag ?? "" })]);
  }

  /** Who has locked the image, by themselves or by hand. */
  lockOwners(): Promise<LockInfo> {
    return readImageLock(this.#image.pool, this.id);
  }

  /**
   * Gives back a lock that this client took by hand.
   *
   * @param cookie as `addLock` was told
   * @throws RadosError ENOENT for one that this client does not have
   */
  async removeLock(cookie: string): Promise<void> {
    const { pool, headerName } = this.#image;
    await changeAll(pool, headerName, [unlock(imageLockName, cookie)]);
  }

  /**
   * Takes a lock from a client, and puts that client on the blocklist first: nothing that its process sends arrives any more, for
   * whichever image. A lock of this client itself is only given back.
   *
   * @param client `client.4123`
   * @param cookie as `lockOwners` says it
   */
  async breakLock(client: string, cookie: string): Promise<void> {
    const { cluster, pool } = this.#image;
    const { lockers } = await this.lockOwners();
    const locker = lockers.find((each) => `client.${each.client}` === client && each.cookie === cookie);
    if (locker === undefined) {
      throw new RbdError("SIPHON_RBD_INVALID", `image ${this.name} has no lock ${cookie} of ${client}`, {
        ...{ errno: -2, hint: `list locks with: siphon rbd lock ls IMAGE` },
      });
    }
    await breakLockOf(cluster, pool, this.id, locker);
  }

  /** Who has the image open; this client, too. */
  watchers(): Promise<Watcher[]> {
    return this.#image.pool.listWatchers(this.#image.headerName);
  }

  /**
   * Calls back with all that is notified about the image, until disposed of.
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

  /** How many snapshots the image may have; undefined for any number. */
  snapshotLimit(): Promise<number | undefined> {
    return ask(this.#image.pool, this.#image.headerName, getSnapshotLimit);
  }

  /** Waits for what is under way, and gives the lock away. */
  async close(): Promise<void> {
    try {
      await this.#image.flushCache();
    } finally {
      await this.#image.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #snapIdOf(snapshot: string | undefined): number {
    return snapshot === undefined ? NO_SNAP : this.snapshots.named(snapshot).id;
  }

  #done(what: string, start: (settling: Settling) => void): Promise<void> {
    return this.#promised(what, start).then(() => {});
  }

  #promised<Started>(what: string, start: (settling: Settling) => Started): Promise<Started> {
    const { promise, resolve, reject } = Promise.withResolvers<Started>();
    const started: Started = start({
      resolve: () => resolve(started),
      reject: (result, error) => reject(this.#failed(what, result, error)),
    });
    return promise;
  }

  #failed(what: string, result: number, error: Error | undefined): Error {
    return requestFailure(`cannot ${what} image ${this.name}`, result, error);
  }
}

export interface DiffOptions {
  /** The earlier snapshot's name. */
  from?: string | undefined;
  /** Objects of which anything changed count whole, which object maps can tell without asking the OSDs. */
  wholeObject?: boolean | undefined;
  /** Whether what a clone shows of its parent counts; true unless said otherwise. */
  withParent?: boolean | undefined;
}

interface ObjectMapTask {
  /** By its name; the image as it is now, if missing. */
  snapshot?: string | undefined;
  onProgress?: OnProgress;
}

interface Settling {
  resolve(): void;
  reject(result: number, error: Error | undefined): void;
}

const nothing = Buffer.alloc(0);
/** EILSEQ. */
const mismatch = -84;

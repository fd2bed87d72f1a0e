import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, NO_SNAP, type Pool, throwUnowned } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { ImageCache } from "../cache/image-cache.ts";
import type { ClassCall } from "../cls/class-call.ts";
import { setFlags } from "../cls/image.ts";
import { changeAll } from "../cls/run.ts";
import { assertOneKey } from "../encryption/one-key.ts";
import { hasCode, isFenced, RbdError, requestFailure } from "../errors.ts";
import { type ImageHeader, imageFlag, userSnapshot } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import { ImageIo } from "../io/image-io.ts";
import { BufferRequest } from "../io/promise-request.ts";
import { ExclusiveLock, fencedError, type LockHost } from "../lock/exclusive-lock.ts";
import { ObjectMap } from "../object-map/object-map.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { headerObject } from "../object-names.ts";
import { HeaderWatch } from "../watch/header-watch.ts";
import { encodeNotifyMessage, type NotifyMessage } from "../watch/notify-message.ts";
import { assertReadable, assertWritable, has } from "./features.ts";
import { notice } from "./notices.ts";
import type { OpenOptions } from "./open-options.ts";
import { openParent, sameParent, snapshotMap } from "./parents.ts";
import { Requests } from "./requests.ts";

/**
 * An image with all that keeps it current: its header as it changes, the watch on it, the lock, the object map, and the I/O
 * that goes by them. The public face of it is `Image`.
 */
export class OpenImage implements LockHost {
  readonly cluster: Cluster;
  /** Of the header, with the image's namespace. */
  readonly pool: Pool;
  readonly io: ImageIo;
  /** What reads and writes of the image go to: `io`, or the cache in front of it. */
  readonly front: ImageIo | ImageCache;
  readonly maps: StoredObjectMaps;
  readonly readOnly: boolean;
  /** What is asked of the lock's owner, and what others ask of us. */
  readonly requests: Requests;
  readonly #keepsLock: boolean;
  readonly #withoutParents: boolean;
  readonly #resized = new Set<(size: number) => void>();
  #header: ImageHeader;
  #lock: ExclusiveLock | undefined;
  #watch: HeaderWatch | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;
  /** Writes are held back until the lock was given away. */
  #handingOver = false;
  #failure: RbdError | undefined;
  #closed = false;
  readonly #closing = new AbortController();

  private constructor(
    cluster: Cluster,
    pool: Pool,
    header: ImageHeader,
    snapId: number,
    options: OpenOptions & WithoutParents,
  ) {
    this.cluster = cluster;
    this.pool = pool;
    this.#header = header;
    this.readOnly = (options.readOnly ?? false) || snapId !== NO_SNAP;
    this.maps = new StoredObjectMaps(pool, header.id);
    this.#keepsLock = options.exclusive ?? false;
    this.#withoutParents = options.withoutParents ?? false;
    this.io = new ImageIo({
      ...{ objecter: cluster.objecter, state: header, readOnly: this.readOnly },
      ...(snapId !== NO_SNAP && { snapId }),
      ...(!this.readOnly && { ensureOwner: () => this.ensureOwner() }),
      ...(options.limits && { limits: options.limits }),
      ...(options.discardGranularity !== undefined && { discardGranularity: options.discardGranularity }),
    });
    this.io.beforeCopyUps = () => assertOneKey(this.io);
    this.front = options.cache ? new ImageCache(this.io, options.cache) : this.io;
    this.requests = new Requests(this);
    this.#followLockFeature();
  }

  static async open(
    cluster: Cluster,
    pool: Pool,
    id: string,
    name: string,
    options: OpenOptions & WithoutParents,
  ): Promise<OpenImage> {
    const header = await readHeader(pool, id, name);
    assertReadable(header);
    const snapId = snapIdOf(header, options.snapshot);
    if (!options.readOnly && snapId === NO_SNAP) assertWritable(header);
    const opened = new OpenImage(cluster, pool, header, snapId, options);
    try {
      await opened.#start(opened.readOnly && options.watch === false);
      if (options.exclusive) await opened.ensureOwner();
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** Another image that this one has to do with. */
  openOther(pool: Pool, id: string): Promise<OpenImage> {
    return OpenImage.open(this.cluster, pool, id, id, {});
  }

  get header(): ImageHeader {
    return this.#header;
  }

  get image(): { id: string; name: string } {
    return this.#header;
  }

  get headerName(): string {
    return headerObject(this.#header.id);
  }

  /** Undefined for images without feature exclusive-lock, and those that are only read. */
  get lock(): ExclusiveLock | undefined {
    return this.#lock;
  }

  /** Calls back with each new size. */
  onResize(listener: (size: number) => void): Disposable {
    this.#resized.add(listener);
    return { [Symbol.dispose]: () => this.#resized.delete(listener) };
  }

  /** Reads the header again; what it says is obeyed when this returns. */
  refresh(): Promise<void> {
    this.#refreshAgain = this.#refreshing !== undefined;
    this.#refreshing ??= this.#refreshAll().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /**
   * The header may have changed: writes that are begun after this go by what it says now. As long as it cannot be read, they wait.
   * Passing failures end here.
   */
  async obeyHeader(): Promise<void> {
    const paused = this.io.pauseWrites();
    try {
      for (let tries = 0; !(await this.#refreshed(tries)); tries++) await this.#patience(tries);
    } finally {
      this.io.resumeWrites();
    }
    await paused;
  }

  /** Changes the header: all of it or nothing, and only while the lock is ours. */
  async changeHeader(...calls: readonly ClassCall[]): Promise<void> {
    const guard = this.#lock === undefined ? [] : [this.#lock.guard];
    await changeAll(this.pool, this.headerName, [...guard, ...calls]);
  }

  /** The header was changed: obeyed here, and told to all others who have the image open. */
  async announce(): Promise<void> {
    await this.refresh();
    await this.tell({ type: "headerUpdate" });
  }

  async ensureOwner(): Promise<void> {
    this.assertOpen();
    await this.#lock?.acquire();
  }

  /** @throws RbdError once the image was closed, or the client was put on the blocklist */
  assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new RbdError("SIPHON_RBD_CLOSED", `image ${this.#header.name} was closed`);
  }

  /** @throws what went wrong with writes that the cache had acknowledged */
  async flushCache(): Promise<void> {
    if (this.front === this.io || this.#closed || this.readOnly) return;
    await new Promise<void>((resolve, reject) => {
      const failed = (result: number, error: Error | undefined) => {
        const what = `writes to image ${this.#header.name} that the cache had acknowledged failed`;
        reject(requestFailure(what, result, error));
      };
      this.front.flush(new BufferRequest(0, 0, Buffer.alloc(0), { resolve, reject: failed }));
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort();
    this.requests.close();
    try {
      if (this.#failure === undefined) await this.#lock?.close();
    } catch (error) {
      // A client that is cut off cannot give anything back.
      if (!isFenced(error)) throw error;
    } finally {
      await this.io.pauseWrites();
      this.io.failWrites(new RbdError("SIPHON_RBD_CLOSED", `image ${this.#header.name} was closed`));
      await this.#watch?.close();
    }
  }

  // As the host of the lock:

  watchCookie(): Promise<bigint> {
    return this.#watch!.cookie();
  }

  askOwner(message: NotifyMessage): Promise<number | undefined> {
    return this.requests.askOwner(message);
  }

  /** Others are told; nobody's answer matters. */
  async tell(message: NotifyMessage): Promise<void> {
    if (message.type === "unknown") return;
    await this.pool.notify(this.headerName, encodeNotifyMessage(message)).catch(() => {});
  }

  async acquired(): Promise<void> {
    await this.refresh();
    assertWritable(this.#header);
    if (has(this.#header, "objectMap")) await this.#openMap();
    this.io.setOwner(true);
  }

  async releasing(): Promise<void> {
    this.#handingOver = true;
    await this.io.pauseWrites();
    this.io.setOwner(false);
    if (has(this.#header, "objectMap")) {
      this.io.objectMap = undefined;
      await this.maps.unlock();
    }
  }

  released(): void {
    this.io.setOwner(false);
    this.io.objectMap = undefined;
    if (this.#handingOver) this.io.resumeWrites();
    this.#handingOver = false;
  }

  fenced(error: RbdError): void {
    this.#failure ??= error;
    this.io.failWrites(this.#failure);
    this.requests.close();
  }

  async #start(unwatched: boolean): Promise<void> {
    await this.#openParents(this.#header);
    const { snapId } = this.io;
    if (snapId !== NO_SNAP) this.io.objectMap = await snapshotMap(this.cluster, this.#header, snapId);
    if (unwatched) return;
    this.#watch = await HeaderWatch.open(this.pool, this.headerName, {
      notified: (payload) => this.requests.serve(payload),
      renewed: () => this.#watchRenewed(),
      ended: (error) => {
        if (isFenced(error)) this.fenced(fencedError(this.#header.name, error));
        else if (hasCode(error, "ENOENT")) this.#gone(error);
      },
    });
    // What changed before the watch was there.
    await this.refresh();
  }

  async #watchRenewed(): Promise<void> {
    await this.#lock?.renew().catch(() => {});
    await this.obeyHeader();
  }

  /** Whether there is no more to wait for: the header was read, or the image is gone or closed. */
  async #refreshed(tries: number): Promise<boolean> {
    if (this.#closed || this.#failure !== undefined) return true;
    const { name } = this.#header;
    try {
      await this.refresh();
      if (tries > 0) notice({ event: "current", image: name });
      return true;
    } catch (error) {
      if (!(error instanceof SiphonError)) throw error;
      if (isFenced(error)) this.fenced(fencedError(name, error));
      else if (hasCode(error, "ENOENT", "SIPHON_RBD_NO_IMAGE")) this.#gone(error);
      else if (hasCode(error, "SIPHON_RADOS_CLOSED")) return true;
      else if (tries === 0) notice({ event: "stale", image: name, error });
      return false;
    }
  }

  /** Milliseconds between attempts grow up to some seconds. */
  async #patience(tries: number): Promise<void> {
    const { signal } = this.#closing;
    await sleep(Math.min(100 * 2 ** tries, 5_000), undefined, { signal }).catch(() => {});
  }

  /** Somebody removed the image while it is open: nothing written to it would be found again. */
  #gone(cause: SiphonError): void {
    const message = `image ${this.#header.name} was removed while it was open`;
    this.#failure ??= new RbdError("SIPHON_RBD_NO_IMAGE", message, { cause });
    this.io.failWrites(this.#failure);
    this.requests.close();
  }

  async #refreshAll(): Promise<void> {
    do {
      this.#refreshAgain = false;
      const { id, name } = this.#header;
      const header = await readHeader(this.pool, id, name);
      const before = this.io.size;
      await this.#openParents(header);
      this.#header = header;
      this.io.state = header;
      this.#followLockFeature();
      if (this.io.size !== before) this.#tellResized();
    } while (this.#refreshAgain);
  }

  #tellResized(): void {
    for (const listener of [...this.#resized]) {
      try {
        listener(this.io.size);
      } catch (error) {
        throwUnowned(error);
      }
    }
  }

  /** Feature exclusive-lock can be enabled and disabled while the image is open. */
  #followLockFeature(): void {
    const locks = !this.readOnly && has(this.#header, "exclusiveLock");
    if (locks === (this.#lock !== undefined)) return;
    this.#lock = locks ? new ExclusiveLock(this, { keep: this.#keepsLock }) : undefined;
    this.io.objectMap = undefined;
    this.io.setOwner(false);
  }

  async #openParents(header: ImageHeader): Promise<void> {
    const { snapId } = this.io;
    const link = snapId === NO_SNAP ? header.parent : header.snapshots.get(snapId)?.parent;
    if (link === undefined || this.#withoutParents) this.io.parent = undefined;
    else {
      const known = this.io.parent?.state;
      const current = known && { poolId: known.poolId, namespace: known.namespace, imageId: known.id };
      const same = current && sameParent(link, { ...current, snapId: this.io.parent!.snapId, overlap: 0 });
      if (!same) this.io.parent = await openParent(this.cluster, link);
    }
  }

  async #openMap(): Promise<void> {
    const { flags, id: imageId, poolId, namespace, size } = this.#header;
    if ((flags & imageFlag.objectMapInvalid) !== 0) return;
    await this.maps.lock();
    const states = await this.maps.load().catch((error) => {
      if (hasCode(error, "ENOENT") || error?.name === "WireError") return undefined;
      throw error;
    });
    if (states === undefined || states.size < this.io.layout.objectCount(size)) {
      await this.invalidateMap(undefined);
      return;
    }
    const { objecter } = this.cluster;
    const onInvalid = (snapId: number | undefined) => this.invalidateMap(snapId);
    this.io.objectMap = new ObjectMap({ objecter, poolId, namespace, imageId, states, onInvalid });
  }

  /** The object map says nothing from now on, until it is rebuilt. */
  async invalidateMap(snapId: number | undefined): Promise<void> {
    const flags =
      imageFlag.objectMapInvalid | (has(this.#header, "fastDiff") ? imageFlag.fastDiffInvalid : 0);
    if (snapId === undefined) this.io.objectMap = undefined;
    await this.changeHeader(setFlags(flags, flags, snapId ?? NO_SNAP));
  }
}

interface WithoutParents {
  /** The parent may be gone already: for an image that is only to be removed or put away, and not read. */
  readonly withoutParents?: boolean;
}

function snapIdOf(header: ImageHeader, snapshot: string | number | undefined): number {
  if (snapshot === undefined) return NO_SNAP;
  const found =
    typeof snapshot === "number" ? header.snapshots.get(snapshot) : userSnapshot(header, snapshot);
  if (found !== undefined) return found.id;
  const what = typeof snapshot === "number" ? `with id ${snapshot}` : snapshot;
  throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", `image ${header.name} has no snapshot ${what}`, {
    hint: `list them with: siphon rbd snap ls ${header.name}`,
  });
}

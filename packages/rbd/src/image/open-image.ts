import { type Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import { throwUnowned } from "@siphon/rados/engine";
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
import { isStale } from "../io/presence.ts";
import { BufferRequest } from "../io/promise-request.ts";
import { ExclusiveLock, fencedError, type LockHost } from "../lock/exclusive-lock.ts";
import { ObjectMap } from "../object-map/object-map.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { headerObject } from "../object-names.ts";
import { HeaderWatch } from "../watch/header-watch.ts";
import { encodeNotifyMessage, type NotifyMessage } from "../watch/notify-message.ts";
import { Adoption } from "./adoption.ts";
import { assertReadable, assertWritable, has } from "./features.ts";
import { notice } from "./notices.ts";
import type { OpenOptions } from "./open-options.ts";
import { Requests } from "./requests.ts";
import { goneError, presenceOf, shownBy } from "./shown.ts";

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
  #refreshed: Promise<void> = Promise.resolve();
  /** A refresh that has not begun. */
  #nextRefresh: Promise<void> | undefined;
  /** The parents are opened anew with the next refresh, though they are the same. */
  #parentsStale = false;
  readonly #adoption: Adoption;
  readonly #closing = new AbortController();
  /** Writes are held back until the lock was given away. */
  #handingOver = false;
  #failure: RbdError | undefined;
  #closed = false;

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
    const presence = presenceOf({
      pool,
      header: () => this.#header,
      snapId,
      unwatched: this.readOnly && options.watch === false,
    });
    this.io = new ImageIo({
      ...{ objecter: cluster.objecter, state: header, readOnly: this.readOnly },
      ...(snapId !== NO_SNAP && { snapId }),
      ...(!this.readOnly && { ensureOwner: () => this.ensureOwner() }),
      ...(presence && { presence }),
      renew: () => this.#renewParents(),
      ...(options.limits && { limits: options.limits }),
      ...(options.discardGranularity !== undefined && { discardGranularity: options.discardGranularity }),
    });
    this.io.beforeCopyUps = () => assertOneKey(this.io);
    this.front = options.cache ? new ImageCache(this.io, options.cache) : this.io;
    this.requests = new Requests(this);
    this.#adoption = new Adoption(this.io, {
      read: async (withMap) => {
        await this.refresh();
        if (withMap) await this.#reloadMap();
      },
      isFinal: (error) => this.#isFinal(error),
      notice: (event, error) => notice({ event, image: this.#header.name, ...(error && { error }) }),
      signal: this.#closing.signal,
    });
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

  /** Nothing is read or written behind `size` any more, which is where the image is to end; undefined: all that the header says. */
  endAt(size: number | undefined): void {
    const before = this.io.size;
    this.io.endsAt = size ?? Number.POSITIVE_INFINITY;
    this.io.generation++;
    this.#tellSize(before);
  }

  #tellSize(before: number): void {
    if (this.io.size === before) return;
    for (const listener of [...this.#resized]) {
      try {
        listener(this.io.size);
      } catch (error) {
        throwUnowned(error);
      }
    }
  }

  /** Reads the header again; what it says is obeyed when this returns. */
  refresh(): Promise<void> {
    // One that has begun may have read the header before the change that this one is to see.
    if (this.#nextRefresh === undefined) {
      const begin = () => {
        this.#nextRefresh = undefined;
        return this.#refreshAll();
      };
      this.#nextRefresh = this.#refreshed.then(begin, begin);
      this.#refreshed = this.#nextRefresh;
      this.#refreshed.catch(() => {});
    }
    return this.#nextRefresh;
  }

  /** Changes the header, the object map as a whole, or objects behind the map's back: see `Adoption`. */
  whilePaused(change: () => Promise<void>): Promise<void> {
    return this.#adoption.whilePaused(change);
  }

  /** Somebody else changed the header: writes that are begun after this go by what it says now. */
  follow(): Promise<void> {
    return this.#adoption.follow();
  }

  /** Changes the header: all of it or nothing, and only while the lock is ours. */
  async changeHeader(...calls: readonly ClassCall[]): Promise<void> {
    const change = (...guards: ClassCall[]) => changeAll(this.pool, this.headerName, [...guards, ...calls]);
    if (this.#lock === undefined) await change();
    else await this.#lock.guarded(change);
  }

  /** The header was changed: obeyed here, and told to all others who have the image open. */
  async announce(): Promise<void> {
    try {
      await this.refresh();
    } finally {
      await this.tell({ type: "headerUpdate" });
    }
  }

  async ensureOwner(): Promise<void> {
    this.assertOpen();
    await this.#lock?.acquire();
  }

  /** @throws RbdError once the image was closed, or the client was put on the blocklist */
  assertOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw this.#closedError();
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

  /** @throws what kept the lock from being given away: then the watch stays as well, and nobody takes this client for dead */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.requests.close();
    this.#closing.abort();
    try {
      if (this.#failure === undefined) await this.#lock?.close();
    } catch (error) {
      // A client that is cut off cannot give anything back.
      if (!isFenced(error)) throw error;
    } finally {
      await this.io.pauseWrites();
      this.io.failWrites(this.#closedError());
      if (this.#lock?.held !== true) await this.#watch?.close();
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
    await this.#openMap(true);
    this.io.setOwner(true);
  }

  async releasing(): Promise<void> {
    this.#handingOver = true;
    await this.io.pauseWrites();
    await this.#adoption.settled;
    this.io.setOwner(false);
    this.io.objectMap = undefined;
    if (!has(this.#header, "objectMap")) return;
    // Whoever has the image's lock takes that of the map as well.
    await this.maps.unlock().catch((error) => {
      if (isFenced(error)) throw error;
    });
  }

  released(): void {
    this.io.setOwner(false);
    this.io.objectMap = undefined;
    if (this.#handingOver) this.io.resumeWrites();
    this.#handingOver = false;
  }

  fenced(error: RbdError): void {
    this.#fail(error);
  }

  /** For good: nothing is acknowledged any more. */
  #fail(error: RbdError): void {
    this.#failure ??= error;
    this.io.failWrites(this.#failure);
    this.requests.close();
    this.#closing.abort();
  }

  async #start(unwatched: boolean): Promise<void> {
    await this.#refreshAll(this.#header);
    if (unwatched) return;
    this.#watch = await HeaderWatch.open(this.pool, this.headerName, {
      notified: (payload) => this.requests.serve(payload),
      // Others may take us for dead until the lock names a watch again.
      lost: () => void this.io.pauseWrites(),
      renewed: async () => {
        await this.#lock?.renew();
        await this.refresh();
      },
      restored: () => this.io.resumeWrites(),
      ended: (error) => {
        if (isFenced(error)) this.fenced(fencedError(this.#header.name, error));
        else
          this.#fail(
            hasCode(error, "ENOENT", "ENOTCONN") ? goneError(this.#header, error) : this.#closedError(),
          );
      },
    });
    // What changed before the watch was there.
    await this.refresh();
  }

  /** Whether it is no use to try again: then no write goes on any more. */
  #isFinal(error: unknown): boolean {
    if (!(error instanceof SiphonError)) return true;
    if (isFenced(error)) this.fenced(fencedError(this.#header.name, error));
    else if (hasCode(error, "ENOENT", "SIPHON_RBD_NO_IMAGE")) this.#fail(goneError(this.#header, error));
    else if (hasCode(error, "SIPHON_RADOS_CLOSED")) this.#fail(this.#closedError());
    if (!this.#closing.signal.aborted) return false;
    this.io.failWrites(this.#failure ?? this.#closedError());
    return true;
  }

  /** @param known a header that was just read */
  async #refreshAll(known?: ImageHeader): Promise<void> {
    const anew = this.#parentsStale || known !== undefined;
    this.#parentsStale = false;
    const { id, name } = this.#header;
    for (let attempt = 1; ; attempt++) {
      const header = attempt === 1 && known ? known : await readHeader(this.pool, id, name);
      const { size } = this.io;
      try {
        const shown = await shownBy(this.cluster, this.io, this.#header, header, {
          anew,
          withoutParents: this.#withoutParents,
        });
        this.io.parent = shown.parent;
        if (this.io.snapId !== NO_SNAP) this.io.objectMap = shown.map;
      } catch (error) {
        // Flattened since the header was read: the header says so now. Or somebody destroyed the parent.
        if (!isStale(error)) throw error;
        if (attempt === attempts) throw this.#parentGone(error as RbdError);
        continue;
      }
      this.#header = header;
      this.io.state = header;
      this.#followLockFeature();
      this.#tellSize(size);
      return;
    }
  }

  /** The parents are looked for anew: one of them is gone. */
  async #renewParents(): Promise<void> {
    this.#parentsStale = true;
    await this.refresh().catch((error) => {
      throw hasCode(error, "ENOENT") ? goneError(this.#header, error) : error;
    });
  }

  /** Feature exclusive-lock can be enabled and disabled while the image is open. */
  #followLockFeature(): void {
    const locks = !this.readOnly && has(this.#header, "exclusiveLock");
    if (locks === (this.#lock !== undefined)) return;
    this.#lock = locks ? new ExclusiveLock(this, { keep: this.#keepsLock }) : undefined;
    this.io.objectMap = undefined;
    this.io.setOwner(false);
  }

  /** The object map of the image that we own, unless it is invalid. */
  async #openMap(takeLock: boolean): Promise<void> {
    const { flags, id: imageId, poolId, namespace, size } = this.#header;
    if (!has(this.#header, "objectMap") || (flags & imageFlag.objectMapInvalid) !== 0) return;
    if (takeLock) await this.maps.lock();
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
    const opened = new ObjectMap({ objecter, poolId, namespace, imageId, states, onInvalid });
    if (this.#lock?.held) this.io.objectMap = opened;
  }

  /** Reads ask the OSDs meanwhile. */
  async #reloadMap(): Promise<void> {
    if (this.readOnly) return;
    this.io.objectMap = undefined;
    if (this.#lock?.held) await this.#openMap(false);
  }

  /** The object map says nothing from now on, until it is rebuilt. It counts until the header says so. */
  async invalidateMap(snapId: number | undefined): Promise<void> {
    const flags =
      imageFlag.objectMapInvalid | (has(this.#header, "fastDiff") ? imageFlag.fastDiffInvalid : 0);
    await this.changeHeader(setFlags(flags, flags, snapId ?? NO_SNAP));
    if (snapId === undefined) this.io.objectMap = undefined;
  }

  #closedError(): RbdError {
    return new RbdError("SIPHON_RBD_CLOSED", `image ${this.#header.name} was closed`);
  }

  #parentGone(cause: RbdError): RbdError {
    const message = `the parent of image ${this.#header.name} is gone: ${cause.message}`;
    return new RbdError("SIPHON_RBD_NO_SNAPSHOT", message, { cause });
  }
}

/** Headers are read so often when they name parents that are gone. */
const attempts = 5;

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
    hint: `list them with: siphon rbd snap ls IMAGE`,
  });
}

import { type Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import { throwUnowned } from "@siphon/rados/engine";
import { cacheSettings } from "../cache/cache-settings.ts";
import { ImageCache } from "../cache/image-cache.ts";
import type { ClassCall } from "../cls/class-call.ts";
import { changeAll } from "../cls/run.ts";
import { assertOneKey } from "../encryption/one-key.ts";
import { hasCode, isFenced, type RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import { ImageIo } from "../io/image-io.ts";
import type { ExclusiveLock } from "../lock/exclusive-lock.ts";
import type { MaintainedImage, WithoutParents } from "../maintenance/maintained-image.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { headerObject } from "../object-names.ts";
import { imageSettings, type Settings } from "../settings/settings.ts";
import { tuningOf } from "../settings/tuning.ts";
import { HeaderWatch } from "../watch/header-watch.ts";
import { encodeNotifyMessage, type NotifyMessage } from "../watch/notify-message.ts";
import { ImageWorkers } from "../workers/image-workers.ts";
import { OwnerIo } from "../workers/owner-io.ts";
import { Adoption } from "./adoption.ts";
import { CurrentHeader } from "./current-header.ts";
import { Ending } from "./ending.ts";
import { assertReadable, assertWritable } from "./features.ts";
import { Listeners } from "./listeners.ts";
import { notice } from "./notices.ts";
import { type OpenOptions, snapIdOf } from "./open-options.ts";
import { OwnMap } from "./own-map.ts";
import { Ownership } from "./ownership.ts";
import { QuiesceWatchers } from "./quiesce-watchers.ts";
import { Requests } from "./requests.ts";
import { presenceOf } from "./shown.ts";
import { Timestamps } from "./timestamps.ts";
import { type WriteHold, WriteHolds } from "./write-holds.ts";

/**
 * An open image: its current header, the watch on it, the lock, the object map, and the I/O that uses them. `Image` is
 * its public API.
 */
export class OpenImage implements MaintainedImage {
  readonly cluster: Cluster;
  /** Pool of the header, with the image's namespace. */
  readonly pool: Pool;
  readonly io: ImageIo;
  /** Receives the image's reads and writes: `io`, or the cache in front of it. */
  readonly front: ImageIo | ImageCache;
  readonly maps: StoredObjectMaps;
  /** The settings at the time of opening. */
  readonly settings: Settings;
  readonly readOnly: boolean;
  /** Requests to the lock's owner, and requests of other clients. */
  readonly requests: Requests;
  readonly quiesceWatchers = new QuiesceWatchers();
  readonly #listeners = new Listeners();
  readonly #current: CurrentHeader;
  readonly #map: OwnMap;
  readonly #ownership: Ownership;
  #workers: ImageWorkers | undefined;
  #watch: HeaderWatch | undefined;
  readonly #adoption: Adoption;
  readonly #ending: Ending;
  readonly #timestamps: Timestamps;
  readonly #holds = new WriteHolds(this);

  private constructor(
    cluster: Cluster,
    pool: Pool,
    header: ImageHeader,
    snapId: number,
    options: OpenOptions & WithoutParents,
    settings: Settings,
  ) {
    this.cluster = cluster;
    this.pool = pool;
    this.settings = settings;
    this.#current = new CurrentHeader(this, header, options);
    this.readOnly = (options.readOnly ?? false) || snapId !== NO_SNAP;
    this.maps = new StoredObjectMaps(pool, header.id);
    this.#map = new OwnMap(this);
    const presence = presenceOf({
      pool,
      header: () => this.header,
      snapId,
      unwatched: this.readOnly && options.watch === false,
    });
    const tuning = tuningOf(settings, snapId === NO_SNAP ? "head" : "snapshot");
    const { discardGranularity } = options;
    const Io = options.workers === undefined ? ImageIo : OwnerIo;
    this.io = new Io({
      ...{ objecter: cluster.objecter, state: header, readOnly: this.readOnly },
      ...(snapId !== NO_SNAP && { snapId }),
      ...(!this.readOnly && { ensureOwner: () => this.ensureOwner() }),
      ...(presence && { presence }),
      renew: () => this.#current.renewParents(),
      ...(options.limits && { limits: options.limits }),
      tuning: { ...tuning, ...(discardGranularity !== undefined && { discardGranularity }) },
    });
    this.io.beforeCopyUps = () => assertOneKey(this.io);
    // Workers share no cache.
    const cache = options.workers === undefined && (options.cache ?? cacheSettings(settings));
    this.front = cache ? new ImageCache(this.io, cache) : this.io;
    this.requests = new Requests(this);
    this.#ending = new Ending(this);
    this.#adoption = new Adoption(this.io, {
      read: async (withMap) => {
        await this.refresh();
        if (withMap) await this.reloadMap();
      },
      isFinal: (error) => this.#ending.isFinal(error),
      failing: (error) => this.#holds.failing("header", error),
      current: () => this.#holds.end("header"),
      signal: this.#ending.signal,
    });
    this.#timestamps = new Timestamps(this.io, {
      header,
      intervals: {
        read: settings.number("rbd_atime_update_interval") * 1000,
        write: settings.number("rbd_mtime_update_interval") * 1000,
      },
      change: (call) => changeAll(pool, this.headerName, [call]),
    });
    this.#ownership = new Ownership({
      ...{ cluster, pool, readOnly: this.readOnly },
      ...{ keepsLock: options.exclusive ?? false, waitsForLock: options.takesTurns ?? false },
      ...{ io: this.io, map: this.#map },
      header: () => this.header,
      watchCookie: () => this.watchCookie(),
      askOwner: (message) => this.requests.askOwner(message),
      tell: (message) => this.tell(message),
      refresh: () => this.refresh(),
      settled: () => this.#adoption.settled,
      hasEnded: () => this.#ending.signal.aborted,
      waiting: (error) => {
        if (error === undefined) this.#holds.end("lock");
        else this.#holds.failing("lock", error);
      },
      fenced: (error) => this.#ending.fail(error),
    });
  }

  static async open(
    cluster: Cluster,
    pool: Pool,
    id: string,
    name: string,
    options: OpenOptions & WithoutParents,
  ): Promise<OpenImage> {
    // If the image does not exist, reading the header fails.
    const settings = imageSettings(cluster, pool, id);
    settings.catch(() => {});
    const header = await readHeader(pool, id, name);
    assertReadable(header);
    const snapId = snapIdOf(header, options.snapshot);
    // An image of format 1 is opened for its removal.
    const isRemovable = header.format === 1 && options.withoutParents;
    if (!options.readOnly && snapId === NO_SNAP && !isRemovable) assertWritable(header);
    const opened = new OpenImage(cluster, pool, header, snapId, options, await settings);
    try {
      await opened.#start(opened.readOnly && options.watch === false);
      if (options.exclusive) await opened.ensureOwner();
      if (options.workers !== undefined) await opened.#startWorkers(options.workers, options);
      return opened;
    } catch (error) {
      await opened.close().catch(() => {});
      throw error;
    }
  }

  /** Undefined where none were requested. */
  get workers(): ImageWorkers | undefined {
    return this.#workers;
  }

  /** Opens a related image. */
  openOther(pool: Pool, id: string, options: WithoutParents = {}): Promise<OpenImage> {
    return OpenImage.open(this.cluster, pool, id, id, options);
  }

  get header(): ImageHeader {
    return this.#current.value;
  }

  /** The reason why writes wait for long; undefined if they do not wait, or fail because the image has ended. */
  get writeHold(): WriteHold | undefined {
    return this.#ending.signal.aborted ? undefined : this.#holds.reason;
  }

  get headerName(): string {
    return headerObject(this.header.id);
  }

  /** Undefined for images without feature exclusive-lock, and for read-only ones. */
  get lock(): ExclusiveLock | undefined {
    return this.#ownership.lock;
  }

  /** Whether this client keeps the lock when others request it. */
  keepLock(keeps: boolean): void {
    this.#ownership.keepsLock = keeps;
  }

  /** Calls back with each new size. */
  onResize(listener: (size: number) => void): Disposable {
    return this.#listeners.onResize(listener);
  }

  /** Calls back whenever the header was read again. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.onChange(listener);
  }

  /** Forbids I/O beyond `size`, the future end of the image; undefined: beyond the header's size. */
  endAt(size: number | undefined): void {
    const before = this.io.size;
    this.io.endAt(size ?? Number.POSITIVE_INFINITY);
    this.#listeners.resized(before, this.io.size);
  }

  /** Reads the header again; when this returns, the image follows it. */
  refresh(): Promise<void> {
    return this.#current.refresh();
  }

  followed(sizeBefore: number): void {
    this.#ownership.follow();
    this.#listeners.resized(sizeBefore, this.io.size);
    this.#listeners.changed();
  }

  /** Changes the header, the object map as a whole, or objects behind the map's back: see `Adoption`. */
  whilePaused(change: () => Promise<void>): Promise<void> {
    return this.#adoption.whilePaused(change);
  }

  /** Another client changed the header: writes that begin after this follow the new one. */
  follow(): Promise<void> {
    return this.#adoption.follow();
  }

  /** Changes the header atomically, and only while this client has the lock. */
  async changeHeader(...calls: readonly ClassCall[]): Promise<void> {
    const change = (...guards: ClassCall[]) => changeAll(this.pool, this.headerName, [...guards, ...calls]);
    if (this.lock === undefined) await change();
    else await this.lock.guarded(change);
  }

  /** Applies the header that was just changed, and notifies all other clients that have the image open. */
  async announce(): Promise<void> {
    try {
      await this.refresh();
    } finally {
      await this.tell({ type: "headerUpdate" });
    }
  }

  async ensureOwner(): Promise<void> {
    this.assertOpen();
    await this.lock?.acquire();
  }

  get isClosed(): boolean {
    return this.#ending.isClosed;
  }

  /** @throws RbdError once the image was closed, or the client was put on the blocklist */
  assertOpen(): void {
    this.#ending.assertOpen();
  }

  /**
   * @throws the reason why the lock could not be released: then the watch stays, so that others do not take this client
   * for dead
   */
  async close(): Promise<void> {
    if (!this.#ending.close()) return;
    await this.quiesceWatchers.close();
    await this.#timestamps.close();
    try {
      if (this.#ending.failure === undefined) await this.lock?.close();
    } catch (error) {
      // A client on the blocklist cannot release anything.
      if (!isFenced(error)) throw error;
    } finally {
      await this.io.pauseWrites();
      this.io.failWrites(this.#ending.closedError());
      await this.#workers?.close();
      if (this.lock?.mayBeHeld !== true) await this.#watch?.close();
    }
  }

  watchCookie(): Promise<bigint> {
    return this.#watch!.cookie();
  }

  /** Notifies the others; their answers do not matter. */
  async tell(message: NotifyMessage): Promise<void> {
    if (message.type === "unknown") return;
    await this.pool.notify(this.headerName, encodeNotifyMessage(message)).catch(() => {});
  }

  /** Reopens the parents: one of them is gone. */
  renewParents(): Promise<void> {
    return this.#current.renewParents();
  }

  /** A worker has ended: nothing more is acknowledged. Its writes may still arrive, so this client keeps the lock. */
  async workerDied(error: RbdError): Promise<void> {
    this.#ending.fail(error);
    // Before its threads are ended, which may abort the process.
    notice({ event: "worker", image: this.header.name, error });
    await this.#workers?.died(error);
    throwUnowned(error);
  }

  async #startWorkers(count: number, options: OpenOptions): Promise<void> {
    const workers = new ImageWorkers(this, this.io as OwnerIo, options);
    this.#workers = workers;
    try {
      await workers.open(count);
    } catch (error) {
      if (!hasCode(error, "SIPHON_RADOS_MODE")) throw error;
      notice({ event: "single", image: this.header.name, error: error as Error });
    }
  }

  async #start(unwatched: boolean): Promise<void> {
    await this.#current.start();
    if (unwatched) return;
    this.#watch = await HeaderWatch.open(this.pool, this.headerName, {
      notified: (payload) => this.requests.serve(payload),
      // Others may take this client for dead until the lock names its new watch.
      lost: () => {
        this.#holds.begin("watch");
        void this.io.pauseWrites();
      },
      failing: (error) => this.#holds.failing("watch", error),
      renewed: async () => {
        await this.lock?.renew();
        await this.refresh();
      },
      restored: () => {
        this.#holds.end("watch");
        void this.io.resumeWrites();
      },
      ended: (error) => this.#ending.unwatched(error),
    });
    // The header may have changed before the watch was registered.
    await this.refresh();
  }

  reloadMap(): Promise<void> {
    return this.#map.reload();
  }

  invalidateMap(snapId: number | undefined): Promise<void> {
    return this.#map.invalidate(snapId);
  }
}

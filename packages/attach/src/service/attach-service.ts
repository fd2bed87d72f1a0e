import { AttachError, type AttachRemedy } from "../errors.ts";
import type { DiskFigures, Measurement } from "../server/attachment.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import type { Log } from "../server/log.ts";
import { stopAll } from "../shards/stop-all.ts";
import { asInFile } from "./disk-file.ts";
import { DiskFiles, type NonsenseFile } from "./disk-files.ts";
import { type DiskStatus, nonsenseStatus, statusOf } from "./disk-status.ts";
import { type DiskDefaults, type DiskDefinition, type DiskWords, defineDisk } from "./disk-words.ts";
import { ServiceDisk } from "./service-disk.ts";
import type { Worker } from "./worker.ts";

export interface ServiceOptions {
  /** Directory of the disks that return after a reboot. */
  keptDirectory: string;
  /** Directory of the other disks, which return after a restart of the service. */
  runtimeDirectory: string;
  defaults: DiskDefaults;
  /** Milliseconds for the requests in flight of a disk that is drained. */
  drainTimeout: number;
  log: Log;
}

/**
 * Disks that are added and removed at run time: their files, the processes that serve them, and requests of clients.
 */
export class AttachService {
  readonly #options: ServiceOptions;
  readonly #files: DiskFiles;
  readonly #workers: readonly Worker[];
  readonly #disks = new Map<string, ServiceDisk>();
  /** Invalid files, by the names of their disks. */
  readonly #nonsense = new Map<string, readonly NonsenseFile[]>();
  /** The last change of each name: changes of one disk and its file are serialized. */
  readonly #lastChange = new Map<string, Promise<unknown>>();
  readonly #known = Promise.withResolvers<void>();
  #isEnding = false;

  /**
   * Serves no disks until `reload`.
   *
   * @param workers creates the serving processes; it gets the callback for a process that has lost its disks
   */
  static async start(
    options: ServiceOptions,
    workers: (lost: (worker: Worker, how: string) => void) => readonly Worker[],
  ): Promise<AttachService> {
    const service = new AttachService(options, workers);
    await Promise.all(service.#workers.map((worker) => worker.start()));
    return service;
  }

  private constructor(options: ServiceOptions, workers: Parameters<typeof AttachService.start>[1]) {
    this.#options = options;
    this.#files = new DiskFiles(options.keptDirectory, options.runtimeDirectory, options.defaults);
    this.#workers = workers((worker, how) => {
      for (const disk of this.#disks.values()) if (disk.worker === worker) disk.lost(how);
    });
  }

  /**
   * Adds a disk.
   *
   * @param isKept whether the disk returns after a reboot @throws the reason why the disk cannot be served; then
   * nothing of it remains
   */
  async add(name: string, given: DiskWords, isKept: boolean): Promise<DiskStatus> {
    const defined = await defineDisk(name, given, this.#options.defaults);
    const words = asInFile(given);
    const definition = { ...defined, words };
    return this.#change(name, async () => {
      this.#refuseTaken(definition);
      const disk = this.#newDisk(definition, isKept);
      this.#disks.set(name, disk);
      try {
        await disk.start();
        await this.#files.write(name, words, isKept);
      } catch (error) {
        await this.#retire(disk).catch(() => {});
        throw error;
      }
      return this.show(name);
    });
  }

  /**
   * Finishes the requests in flight, closes the image and removes the disk.
   *
   * @throws AttachError SIPHON_ATTACH_DISK if a client is connected and `force` is not set; SIPHON_ATTACH_DRAIN if the
   * cluster does not answer in time: then the removal continues, and the disk stays listed until it is done
   */
  remove(name: string, isForced: boolean): Promise<void> {
    return this.#change(name, async () => {
      const nonsense = this.#nonsense.get(name) ?? [];
      const disk = nonsense.length > 0 ? this.#disks.get(name) : this.#get(name);
      if (disk !== undefined && !isForced) await this.#refuseUsed(disk);
      for (const { isKept } of nonsense) await this.#files.remove(name, isKept);
      this.#nonsense.delete(name);
      if (disk === undefined) return;
      await this.#files.remove(name, disk.isKept);
      await this.#retire(disk);
    });
  }

  async list(): Promise<DiskStatus[]> {
    const figures = await this.#figures();
    const disks = [...this.#disks.values()].map((disk) => this.#statusOf(disk, figures.get(disk.name)));
    const others = [...this.#nonsense.values()].flat().filter(({ name }) => !this.#disks.has(name));
    return [...disks, ...others.map(nonsenseStatus)].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async show(name: string): Promise<DiskStatus> {
    const nonsense = this.#nonsense.get(name)?.[0];
    if (nonsense !== undefined && !this.#disks.has(name)) return nonsenseStatus(nonsense);
    const disk = this.#get(name);
    const figures = await disk.worker.measure();
    return this.#statusOf(
      disk,
      figures.find(({ part }) => part === name),
    );
  }

  /**
   * Changes a disk's limits, until the service is restarted or reloaded; for a disk that is not kept, permanently.
   *
   * @param text as `siphon attach --limit` takes them; undefined for `rbd_qos_*` alone
   * @param isKept whether to change the file, too
   */
  limit(name: string, text: string | undefined, isKept: boolean): Promise<DiskStatus> {
    return this.#change(name, async () => {
      const disk = this.#get(name);
      await disk.limit(text);
      if (isKept || !disk.isKept) await this.#files.setWord(name, disk.isKept, "limit", text);
      return this.show(name);
    });
  }

  /** Finishes the requests in flight and closes the image; its VM waits until `resume`. */
  drain(name: string): Promise<DiskStatus> {
    return this.#change(name, async () => {
      await this.#get(name).drain();
      return this.show(name);
    });
  }

  resume(name: string): Promise<DiskStatus> {
    return this.#change(name, async () => {
      await this.#get(name).start();
      return this.show(name);
    });
  }

  /**
   * Reads the files again: adds disks with new files, changes disks whose files changed, and removes disks without a
   * file. A disk with an invalid file stays unchanged. Returns after one attempt for each.
   */
  async reload(): Promise<DiskStatus[]> {
    const names = new Set([...(await this.#files.names()), ...this.#disks.keys(), ...this.#nonsense.keys()]);
    const unknown = new Set(names);
    const known = (name: string) => {
      unknown.delete(name);
      if (unknown.size === 0) this.#known.resolve();
    };
    if (names.size === 0) this.#known.resolve();
    await Promise.all([...names].map((name) => this.#change(name, () => this.#settle(name, known))));
    return this.list();
  }

  /** Resolves during the first `reload`, when all disks with files are listed, served or not. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  async measure(): Promise<Measurement> {
    const figures = await this.#figures();
    const disks = [...figures.values()].map(({ part, name, size, io }) => {
      return { disk: part, name, size, metrics: new IoMetrics(io) };
    });
    const shards = this.#workers.flatMap(({ state }) => (state === undefined ? [] : [state]));
    return { disks, shards };
  }

  /**
   * Drains all disks without losing a write, and ends the service.
   *
   * @throws AttachError SIPHON_ATTACH_DRAIN
   */
  async stop(): Promise<void> {
    this.#isEnding = true;
    for (const disk of this.#disks.values()) disk[Symbol.dispose]();
    await stopAll(this.#workers);
  }

  /** Applies a disk's file. */
  async #settle(name: string, known: (name: string) => void): Promise<void> {
    const { wanted, nonsense } = await this.#files.find(name);
    // By then the new disk is listed, unless an old one, which is itself listed, must be retired first.
    queueMicrotask(() => known(name));
    if (nonsense.length > 0) this.#nonsense.set(name, nonsense);
    else this.#nonsense.delete(name);
    for (const { path, error } of nonsense) {
      this.#options.log(`${path} is skipped: ${error.message}`, { event: "disk-file", disk: name });
    }
    const disk = this.#disks.get(name);
    if (disk !== undefined && wanted !== undefined && disk.is(wanted)) {
      const { limit } = wanted.definition.words;
      if (disk.definition.words.limit !== limit) {
        await disk
          .limit(limit as string | undefined)
          .catch((error: Error) => this.#options.log(`${name} keeps its limits: ${error.message}`));
      }
      return disk.keepTrying();
    }
    if (disk !== undefined) {
      if (wanted === undefined && nonsense.length > 0) return;
      await this.#retire(disk).catch((error: Error) => this.#options.log(`${name}: ${error.message}`));
      await disk.idle();
    }
    if (wanted === undefined || this.#isEnding) return;
    const next = this.#newDisk(wanted.definition, wanted.isKept);
    this.#disks.set(name, next);
    await next.keepTrying();
  }

  /** The disk stays listed until it is drained, even beyond the time limit. */
  async #retire(disk: ServiceDisk): Promise<void> {
    try {
      await disk.retire();
    } finally {
      if (disk.phase === "draining") void disk.idle().then(() => this.#forget(disk));
      else this.#forget(disk);
    }
  }

  #newDisk(definition: DiskDefinition, isKept: boolean): ServiceDisk {
    const busy = (worker: Worker) =>
      [...this.#disks.values()].reduce((sum, disk) => sum + Number(disk.worker === worker), 0);
    const worker = this.#workers.reduce((least, each) => (busy(each) < busy(least) ? each : least));
    const check = (disk: ServiceDisk) => this.#refuseImageInUse(disk);
    return new ServiceDisk(definition, isKept, worker, { ...this.#options, check });
  }

  /** A shard that does not answer may have clients all the same. */
  async #refuseUsed({ name, phase, worker }: ServiceDisk): Promise<void> {
    const figures = (await worker.measure()).find(({ part }) => part === name);
    const isUnknown = figures === undefined && phase === "serving";
    if (!isUnknown && (figures?.io.connections ?? 0) === 0) return;
    const what = isUnknown
      ? `whether a client is connected to ${name} is not known: its shard does not answer`
      : `a client is connected to ${name}`;
    throw new AttachError("SIPHON_ATTACH_DISK", what, {
      ...(!isUnknown && { hint: "stop its VM" }),
      remedy: { name: "force-removal", subject: name } satisfies AttachRemedy,
    });
  }

  /** Files may say the same image twice: two VMs must not write to it, whether it has a lock or not. */
  #refuseImageInUse(disk: ServiceDisk): void {
    if (!disk.writes) return;
    const other = [...this.#disks.values()].find(
      (each) => each !== disk && each.writes && each.holdsImage && each.image === disk.image,
    );
    if (other !== undefined) throw servedAlready(other);
  }

  #refuseTaken({ name, image, request }: DiskDefinition): void {
    if (this.#isEnding) throw new AttachError("SIPHON_ATTACH_DISK", "the service is stopping");
    if (this.#disks.has(name) || this.#nonsense.has(name)) {
      throw new AttachError("SIPHON_ATTACH_DISK", `disk ${name} already exists`, {
        remedy: { name: "show-disk", subject: name } satisfies AttachRemedy,
      });
    }
    if (request.readOnly || image.snapshot !== undefined) return;
    const text = formatImageSpec(image);
    const other = [...this.#disks.values()].find((disk) => disk.writes && disk.image === text);
    if (other !== undefined) throw servedAlready(other);
  }

  #change<T>(name: string, change: () => Promise<T>): Promise<T> {
    const done = (this.#lastChange.get(name) ?? Promise.resolve()).then(change, change);
    this.#lastChange.set(name, done);
    const over = () => {
      if (this.#lastChange.get(name) === done) this.#lastChange.delete(name);
    };
    done.then(over, over);
    return done;
  }

  #forget(disk: ServiceDisk): void {
    disk[Symbol.dispose]();
    if (this.#disks.get(disk.name) === disk) this.#disks.delete(disk.name);
  }

  #get(name: string): ServiceDisk {
    const disk = this.#disks.get(name);
    if (disk !== undefined) return disk;
    throw new AttachError("SIPHON_ATTACH_DISK", `there is no disk ${name}`, {
      remedy: { name: "list-disks" } satisfies AttachRemedy,
    });
  }

  #statusOf(disk: ServiceDisk, figures: DiskFigures | undefined): DiskStatus {
    return statusOf(disk, this.#files.pathOf(disk.name, disk.isKept), figures);
  }

  /** By disk; empty for a shard that is down. */
  async #figures(): Promise<Map<string, DiskFigures>> {
    const all = await Promise.all(this.#workers.map((worker) => worker.measure()));
    return new Map(all.flat().map((figures) => [figures.part, figures]));
  }
}

function servedAlready({ image, name }: ServiceDisk): AttachError {
  return new AttachError("SIPHON_ATTACH_DISK", `${image} is already served as ${name}`);
}

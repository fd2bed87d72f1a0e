import { AttachError } from "../errors.ts";
import type { ServedPoint } from "../server/attachment.ts";
import { endedInTime } from "../server/drain-timeout.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import type { Log } from "../server/log.ts";
import { RestartDelay } from "../shards/restart-delay.ts";
import { parseDiskLimits } from "../throttle/disk-limits.ts";
import type { WantedDisk } from "./disk-files.ts";
import type { DiskDefinition, DiskWords } from "./disk-words.ts";
import type { Worker } from "./worker.ts";

/**
 * - `starting`: the image is being opened;
 * - `serving`;
 * - `failed`: serving failed, and is retried;
 * - `draining`: the requests in flight are being finished;
 * - `drained`: not served until it is resumed.
 */
export type DiskPhase = "starting" | "serving" | "failed" | "draining" | "drained";

/** A disk of the service and its state. Its changes are serialized. */
export class ServiceDisk {
  definition: DiskDefinition;
  /** Whether its file survives a reboot. */
  readonly isKept: boolean;
  readonly worker: Worker;
  readonly #log: Log;
  readonly #drainTimeout: number;
  readonly #check: (disk: ServiceDisk) => void;
  readonly #delay = new RestartDelay();
  phase: DiskPhase = "starting";
  error: Error | undefined;
  points: readonly ServedPoint[] = [];
  #retry: NodeJS.Timeout | undefined;
  #servingSince = Number.POSITIVE_INFINITY;
  #isOver = false;
  #holdsImage = false;
  #drained: Promise<unknown> | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  /** @param check called before each attempt to serve it; throws what is in the way */
  constructor(
    definition: DiskDefinition,
    isKept: boolean,
    worker: Worker,
    {
      log,
      drainTimeout,
      check = () => {},
    }: { log: Log; drainTimeout: number; check?: (disk: ServiceDisk) => void },
  ) {
    this.definition = definition;
    this.isKept = isKept;
    this.worker = worker;
    this.#log = log;
    this.#drainTimeout = drainTimeout;
    this.#check = check;
  }

  get name(): string {
    return this.definition.name;
  }

  get image(): string {
    return formatImageSpec(this.definition.image);
  }

  get writes(): boolean {
    const { request, image } = this.definition;
    return !request.readOnly && image.snapshot === undefined;
  }

  /** Its image is open, or being opened or closed. */
  get holdsImage(): boolean {
    return this.#holdsImage;
  }

  /** Whether it need not be served again to be what is wanted. */
  is({ definition, isKept }: WantedDisk): boolean {
    const { limit: _, ...words } = this.definition.words;
    const { limit: _other, ...wanted } = definition.words;
    return isKept === this.isKept && sameWords(words, wanted);
  }

  /**
   * Serves it.
   *
   * @throws the reason why it cannot be served
   */
  start(): Promise<void> {
    return this.#after(() => this.#start());
  }

  /** Serves it, with retries; returns after the first attempt. */
  keepTrying(): Promise<void> {
    return this.#after(async () => {
      if (this.phase !== "draining" && !this.#isOver)
        await this.#start().catch((error: Error) => this.#failed(error));
    });
  }

  /** Its process ended and no longer serves it. */
  lost(how: string): void {
    if (this.phase === "serving")
      this.#failed(new AttachError("SIPHON_ATTACH_SHARD", `its shard ${how}`), true);
  }

  /**
   * Finishes the requests in flight and closes the image.
   *
   * @throws AttachError SIPHON_ATTACH_DRAIN if that exceeds the time limit; the drain continues
   */
  drain(): Promise<void> {
    return this.#after(() => this.#drain());
  }

  /** As `drain`, for good. */
  retire(): Promise<void> {
    this.#isOver = true;
    return this.drain();
  }

  /** Resolves at the end of a drain that exceeded its time limit. */
  async idle(): Promise<void> {
    await this.#drained;
  }

  /** @param text as `siphon attach --limit` takes them; undefined for RBD's settings alone */
  limit(text: string | undefined): Promise<void> {
    const limits = text === undefined ? {} : parseDiskLimits(text);
    return this.#after(async () => {
      if (this.phase === "serving") await this.worker.carryOut({ do: "limit", part: this.name, limits });
      const { words, request } = this.definition;
      const { limit: _, ...others } = words;
      const said = text === undefined ? others : { ...others, limit: text };
      this.definition = { ...this.definition, words: said, request: { ...request, limits } };
    });
  }

  /** Stops all retries. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
  }

  async #start(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.phase === "serving") return;
    const { name } = this;
    if (this.#isOver) throw new AttachError("SIPHON_ATTACH_DISK", `${name} is being removed`);
    if (this.phase === "draining")
      throw new AttachError("SIPHON_ATTACH_DISK", `${name} is still being drained`);
    const { request } = this.definition;
    this.#check(this);
    this.phase = "starting";
    this.#holdsImage = true;
    try {
      this.points = await this.worker.carryOut({ do: "add", part: name, request });
    } catch (error) {
      this.phase = "drained";
      this.#holdsImage = false;
      throw error;
    }
    if (this.error !== undefined) this.#log(`${name}: ${this.image} is served`, this.#about("disk-serving"));
    this.error = undefined;
    this.phase = "serving";
    this.#servingSince = performance.now();
  }

  #failed(error: Error, isLost = false): void {
    if (this.#isOver) return;
    const delay = this.#delay.after(performance.now() - this.#servingSince);
    this.#servingSince = Number.POSITIVE_INFINITY;
    // A repeated error is reported once.
    const isNew = this.error?.message !== error.message;
    this.error = error;
    this.phase = "failed";
    this.#holdsImage = false;
    this.points = [];
    if (isNew && !isLost) {
      const line = `${this.name}: cannot serve ${this.image}: ${error.message}; siphon tries again`;
      this.#log(line, this.#about("disk-failed"));
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      void this.#after(async () => {
        if (this.phase === "failed") await this.#start().catch((error: Error) => this.#failed(error));
      });
    }, delay);
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.phase === "serving") {
      this.phase = "draining";
      const drained = this.worker.carryOut({ do: "remove", part: this.name }).finally(() => {
        this.phase = "drained";
        this.#holdsImage = false;
        this.points = [];
      });
      this.#drained = drained.catch(() => {});
      await endedInTime(drained, AbortSignal.abort(), this.#drainTimeout);
    } else if (this.phase === "draining") {
      await endedInTime(this.idle(), AbortSignal.abort(), this.#drainTimeout);
    } else this.phase = "drained";
  }

  #about(event: string) {
    return { event, image: this.image, disk: this.name };
  }

  /** Serializes the changes of a disk. */
  #after<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#lastChange.then(change, change);
    this.#lastChange = done.catch(() => {});
    return done;
  }
}

function sameWords(some: DiskWords, others: DiskWords): boolean {
  const text = (words: DiskWords) =>
    JSON.stringify(Object.entries(words).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(some) === text(others);
}

import type { Cluster, Pool } from "@siphon/rados";
import { type Image, imageSettings, type Settings } from "@siphon/rbd";
import { type DiskLimits, type Limit, limitNames } from "./disk-limits.ts";
import { SharedTick } from "./shared-tick.ts";

/** A device that applies a disk's limits. */
export interface LimitedDevice {
  limit(limits: DiskLimits): void;
}

/** The image whose settings apply. */
export interface LimitedImage {
  readonly cluster: Cluster;
  readonly pool: Pool;
  readonly image: Image;
}

/**
 * The limits of a disk: given limits, and for the others `rbd_qos_*` of the image, its pool or the client. Changes of
 * the image's settings apply at once, those of the pool and client within seconds.
 */
export class ImageLimits implements Disposable {
  readonly #of: LimitedImage;
  readonly #device: LimitedDevice;
  readonly #changes: Disposable;
  readonly #poll: Disposable;
  #given: DiskLimits;
  #settings: DiskLimits = {};
  /** The client's settings when they were last read. */
  #seen = "";
  #reading = false;
  #isStale = false;
  #isOver = false;

  static async open(of: LimitedImage, device: LimitedDevice, given: DiskLimits): Promise<ImageLimits> {
    const limits = new ImageLimits(of, device, given);
    try {
      await limits.#read();
      return limits;
    } catch (error) {
      limits[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(of: LimitedImage, device: LimitedDevice, given: DiskLimits) {
    this.#of = of;
    this.#device = device;
    this.#given = given;
    this.#changes = of.image.onChange(() => void this.#refresh());
    this.#poll = looks.add(() => {
      if (this.#isStale || this.#seen !== this.#clientSettings()) void this.#refresh();
    });
  }

  /** The limits in force. */
  get inForce(): DiskLimits {
    return { ...this.#settings, ...this.#given };
  }

  /** Missing limits come from RBD's settings again. */
  give(limits: DiskLimits): void {
    this.#given = limits;
    this.#apply();
  }

  /** Lifts all limits: for the shutdown, which waits until all requests are done. */
  lift(): void {
    this[Symbol.dispose]();
    this.#device.limit({});
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#poll[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
  }

  async #refresh(): Promise<void> {
    this.#isStale = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#isStale && !this.#isOver) {
        this.#isStale = false;
        await this.#read();
      }
    } catch {
      // The current limits stay; the next check tries again.
      this.#isStale = true;
    } finally {
      this.#reading = false;
    }
  }

  async #read(): Promise<void> {
    const { cluster, pool, image } = this.#of;
    this.#seen = this.#clientSettings();
    this.#settings = limitsOf(await imageSettings(cluster, pool, image.id));
    this.#apply();
  }

  #apply(): void {
    if (!this.#isOver) this.#device.limit(this.inForce);
  }

  #clientSettings(): string {
    const { cluster } = this.#of;
    return watched.map((name) => cluster.setting(name) ?? "").join(" ");
  }
}

/** Limits from `rbd_qos_*`. A burst that does not exceed its limit is ignored. */
export function limitsOf(settings: Pick<Settings, "number">): DiskLimits {
  const limits: DiskLimits = {};
  for (const name of limitNames) {
    const [rate, burst, burstSeconds] = optionsOf(name).map((option) => settings.number(option));
    if (rate! > 0) {
      limits[name] = {
        rate: rate!,
        burst: burst! > rate! ? burst! : 0,
        burstSeconds: Math.max(1, burstSeconds!),
      } satisfies Limit;
    }
  }
  return limits;
}

function optionsOf(name: string): string[] {
  const option = `rbd_qos_${name.replaceAll("-", "_")}`;
  return [`${option}_limit`, `${option}_burst`, `${option}_burst_seconds`];
}

/**
 * The client's settings to watch. `rbd config pool set` changes the first one, so that clients read their pools'
 * settings again.
 */
const watched = ["rbd_config_pool_override_update_timestamp", ...limitNames.flatMap(optionsOf)];
/** Looking costs no message. */
const looks = new SharedTick(5000);

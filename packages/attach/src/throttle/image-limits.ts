import type { Cluster, Pool } from "@siphon/rados";
import { type Image, imageSettings, type Settings } from "@siphon/rbd";
import { type DiskLimits, type Limit, limitNames } from "./disk-limits.ts";
import { SharedTick } from "./shared-tick.ts";

/** A device that obeys the limits of a disk. */
export interface LimitedDevice {
  limit(limits: DiskLimits): void;
}

/** The image whose settings hold. */
export interface LimitedImage {
  readonly cluster: Cluster;
  readonly pool: Pool;
  readonly image: Image;
}

/**
 * The limits of a disk: those that were given for it, and for the others what `rbd_qos_*` says for the image, its pool or the client. Changes
 * of the image's settings hold at once, those of others within seconds.
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

  /** All that hold. */
  get inForce(): DiskLimits {
    return { ...this.#settings, ...this.#given };
  }

  /** Those that are missing are RBD's again. */
  give(limits: DiskLimits): void {
    this.#given = limits;
    this.#apply();
  }

  /** Nothing waits any more: for the end, which lasts until all is done. */
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
      // Those that hold go on; the next look tries again.
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

/** The monitors tell by the first that a pool's settings are others. */
const watched = ["rbd_config_pool_override_update_timestamp", ...limitNames.flatMap(optionsOf)];
/** Looking costs no message. */
const looks = new SharedTick(5000);

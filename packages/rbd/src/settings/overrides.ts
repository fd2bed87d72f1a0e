import { errno } from "@siphon/wire";
import { removeMetadata, setMetadata } from "../cls/metadata.ts";
import { changeAll } from "../cls/run.ts";
import { RbdError, unless } from "../errors.ts";
import type { Image } from "../image.ts";
import type { ImagePool } from "../image-pool.ts";
import { infoObject } from "../object-names.ts";
import { optionValue, type RbdOption, rbdOptions } from "./options.ts";
import { overridePrefix, poolOverrides } from "./settings.ts";

/** A setting in force, and its source. */
export interface EffectiveSetting {
  readonly name: string;
  readonly value: string;
  readonly source: "config" | "pool" | "image";
}

const prefix = overridePrefix;

/**
 * Settings of a pool or image that override the configuration (src/librbd/api/Config.cc).
 *
 * @param image undefined for the pool's settings
 */
export class Overrides {
  readonly #images: ImagePool;
  readonly #image: Image | undefined;

  constructor(images: ImagePool, image?: Image) {
    this.#images = images;
    this.#image = image;
  }

  /** All settings that can be overridden, sorted by name. */
  async list(): Promise<EffectiveSetting[]> {
    const { cluster } = this.#images;
    const ofPool = await this.#poolOverrides();
    const ofImage = await this.#image?.metadata.list();
    const shown = [...rbdOptions.values()].filter(({ scope }) => {
      return scope === "image" || (scope === "pool" && this.#image === undefined);
    });
    return shown.map((option): EffectiveSetting => {
      const { name, otherwise } = option;
      const [image, pool] = [ofImage?.get(prefix + name), ofPool.get(prefix + name)];
      if (image !== undefined) return { name, value: optionValue(option, image) ?? image, source: "image" };
      if (pool !== undefined) return { name, value: optionValue(option, pool) ?? pool, source: "pool" };
      const configured = cluster.setting(name);
      const value = configured === undefined ? undefined : optionValue(option, configured);
      return { name, value: value ?? otherwise, source: "config" };
    });
  }

  /** @throws RbdError SIPHON_RBD_INVALID (ENOENT) if it is not overridden */
  async get(name: string): Promise<string> {
    const found =
      this.#image === undefined
        ? (await this.#poolOverrides()).get(prefix + name)
        : (await this.#image.metadata.list()).get(prefix + name);
    if (found === undefined) throw notSet(name);
    return found;
  }

  /** @throws RbdError SIPHON_RBD_INVALID for a setting that cannot be overridden here, or a value of another type */
  async set(name: string, value: string): Promise<void> {
    const option = overridable(name, this.#level);
    if (optionValue(option, value) === undefined) {
      throw new RbdError(
        "SIPHON_RBD_INVALID",
        `invalid value ${value} for ${name}, which has type ${option.type}`,
        {
          ...(option.values.length > 0 && { hint: `valid values are ${option.values.join(", ")}` }),
        },
      );
    }
    const entry = new Map([[prefix + name, value]]);
    if (this.#image !== undefined) return this.#image.metadata.set(entry);
    await changeAll(this.#pool, infoObject, [setMetadata(entry)]);
    await this.#tellClients();
  }

  async remove(name: string): Promise<void> {
    await this.get(name);
    if (this.#image !== undefined) return this.#image.metadata.remove(prefix + name);
    await changeAll(this.#pool, infoObject, [removeMetadata(prefix + name)]);
    await this.#tellClients();
  }

  get #level(): "image" | "pool" {
    return this.#image === undefined ? "pool" : "image";
  }

  get #pool() {
    return this.#images.pool.with({ namespace: "" });
  }

  async #poolOverrides(): Promise<Map<string, string>> {
    return poolOverrides(this.#pool);
  }

  /**
   * Clients read a pool's settings again when this global setting changes. A user without permission to change it has
   * still changed the pool's setting, as with librbd.
   */
  async #tellClients(): Promise<void> {
    const told = this.#images.cluster.command({
      ...{ prefix: "config set", who: "global", name: "rbd_config_pool_override_update_timestamp" },
      value: String(Math.floor(Date.now() / 1000)),
    });
    await told.catch(unless("EPERM", "EACCES"));
  }
}

function overridable(name: string, level: "image" | "pool"): RbdOption {
  const option = rbdOptions.get(name);
  if (option !== undefined && option.scope !== "global" && (level === "pool" || option.scope === "image")) {
    return option;
  }
  throw new RbdError("SIPHON_RBD_INVALID", `setting ${name} cannot be overridden for one ${level}`, {
    remedy: { name: "list-settings", subject: level },
  });
}

function notSet(name: string): RbdError {
  return new RbdError("SIPHON_RBD_INVALID", `${name} is not set here`, { errno: -errno.ENOENT });
}

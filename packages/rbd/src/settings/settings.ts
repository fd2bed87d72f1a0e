import type { Cluster, Pool } from "@siphon/rados";
import { listMetadata } from "../cls/metadata.ts";
import { askPages } from "../cls/run.ts";
import { unless } from "../errors.ts";
import { headerObject, infoObject } from "../object-names.ts";
import { optionValue, type RbdOption, rbdOptions } from "./options.ts";

/** Prefix of settings in the metadata of an image, or of the pool's `rbd_info`. */
export const overridePrefix = "conf_";

/**
 * RBD's settings for an image, a pool or a client: the image's, else the pool's, else those of the command line, the
 * environment, ceph.conf and the monitors (src/librbd/api/Config.cc). As in librbd, invalid values are ignored.
 */
export class Settings {
  readonly #cluster: Pick<Cluster, "setting">;
  readonly #pool: ReadonlyMap<string, string>;
  readonly #image: ReadonlyMap<string, string>;

  constructor(
    cluster: Pick<Cluster, "setting">,
    pool: ReadonlyMap<string, string>,
    image: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#cluster = cluster;
    this.#pool = pool;
    this.#image = image;
  }

  /**
   * @param name with `rbd_`
   * @throws RangeError for an unknown setting
   */
  text(name: string): string {
    return this.given(name) ?? optionNamed(name).otherwise;
  }

  /** The same; undefined if it is not set. */
  given(name: string): string | undefined {
    const option = optionNamed(name);
    const ofImage = option.scope === "image" ? this.#image.get(overridePrefix + name) : undefined;
    const ofPool = option.scope === "global" ? undefined : this.#pool.get(overridePrefix + name);
    return [ofImage, ofPool, this.#cluster.setting(name)]
      .filter((value) => value !== undefined)
      .map((value) => optionValue(option, value))
      .find((value) => value !== undefined);
  }

  flag(name: string): boolean {
    return this.text(name) === "true";
  }

  number(name: string): number {
    return Number(this.text(name));
  }
}

function optionNamed(name: string): RbdOption {
  const option = rbdOptions.get(name);
  if (option === undefined) throw new RangeError(`RBD has no setting ${name}`);
  return option;
}

/** The settings in force for a pool. */
export async function poolSettings(cluster: Cluster, pool: Pool): Promise<Settings> {
  // Users whose caps are limited to a namespace cannot read the pool's settings; like librbd, continues without them.
  const overrides = await poolOverrides(pool).catch(unless("EPERM", "EACCES"));
  return new Settings(cluster, overrides ?? new Map());
}

/** The settings in force for one image. */
export async function imageSettings(cluster: Cluster, pool: Pool, id: string): Promise<Settings> {
  const [ofPool, ofImage] = await Promise.all([
    poolOverrides(pool).catch(unless("EPERM", "EACCES")),
    metadataOf(pool, headerObject(id)),
  ]);
  return new Settings(cluster, ofPool ?? new Map(), ofImage);
}

/** All metadata of the pool. */
export function poolOverrides(pool: Pool): Promise<Map<string, string>> {
  return metadataOf(pool.with({ namespace: "" }), infoObject);
}

async function metadataOf(pool: Pool, object: string): Promise<Map<string, string>> {
  const all = await askPages(
    pool,
    object,
    (last: [string, Buffer] | undefined, most) => listMetadata(last?.[0] ?? "", most),
    64,
  );
  return new Map(all.map(([name, value]) => [name, value.toString("utf8")]));
}

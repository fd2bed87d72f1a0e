import type { Cluster, Pool } from "@siphon/rados";
import { listMetadata } from "../cls/metadata.ts";
import { askPages } from "../cls/run.ts";
import { unless } from "../errors.ts";
import { infoObject } from "../object-names.ts";
import { optionValue, rbdOptions } from "./options.ts";

/** Settings are metadata under the option's name with this before it: of the image, or of the pool's `rbd_info`. */
export const overridePrefix = "conf_";

/**
 * What RBD's settings say where something is done: the pool's own, or else those of the command line, the environment, ceph.conf and
 * the monitors (src/librbd/api/Config.cc). A value that a setting cannot have is passed over, as librbd does.
 */
export class Settings {
  readonly #cluster: Pick<Cluster, "setting">;
  readonly #pool: ReadonlyMap<string, string>;

  constructor(cluster: Pick<Cluster, "setting">, pool: ReadonlyMap<string, string>) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  /** @param name with `rbd_` */
  text(name: string): string {
    const option = rbdOptions.get(name);
    if (option === undefined) throw new RangeError(`RBD has no setting ${name}`);
    const overridden = option.scope === "global" ? undefined : this.#pool.get(overridePrefix + name);
    const usable = [overridden, this.#cluster.setting(name)]
      .filter((value) => value !== undefined)
      .map((value) => optionValue(option, value))
      .find((value) => value !== undefined);
    return usable ?? option.otherwise;
  }

  flag(name: string): boolean {
    return this.text(name) === "true";
  }

  number(name: string): number {
    return Number(this.text(name));
  }
}

/** The settings that hold for what is done to the images of a pool. */
export async function poolSettings(cluster: Cluster, pool: Pool): Promise<Settings> {
  // Users whose caps name a namespace may not read the pool's settings: librbd does without them, too.
  const overrides = await poolOverrides(pool).catch(unless("EPERM", "EACCES"));
  return new Settings(cluster, overrides ?? new Map());
}

/** All metadata of the pool. */
export async function poolOverrides(pool: Pool): Promise<Map<string, string>> {
  const all = await askPages(
    pool.with({ namespace: "" }),
    infoObject,
    (last: [string, Buffer] | undefined, most) => listMetadata(last?.[0] ?? "", most),
    64,
  );
  return new Map(all.map(([name, value]) => [name, value.toString("utf8")]));
}

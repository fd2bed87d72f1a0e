import {
  type Cluster,
  type ListedObject,
  type Pool,
  RadosError,
  ReadOperation,
  WriteOperation,
} from "@siphon/rados";
import { empty, makeState } from "./state.ts";

/**
 * A pool in the state of `makeState`, which `restore` brings back. Making it anew takes long, because each snapshot waits
 * for the monitors; so changes are found by the versions of objects, and undone object by object.
 */
export class KeptState {
  readonly #cluster: Cluster;
  readonly #pool: Pool;
  #objects = new Map<string, KeptObject>();

  private constructor(cluster: Cluster, pool: Pool) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  static async make(cluster: Cluster, poolName: string): Promise<KeptState> {
    const state = new KeptState(cluster, await cluster.pool(poolName));
    await state.remake();
    return state;
  }

  /** Makes the state from nothing; its images get other ids. */
  async remake(): Promise<void> {
    await empty(this.#pool);
    await makeState(this.#cluster, this.#pool.name);
    const objects = (await this.#list()).map((at) => this.#read(at).catch(undefinedIfGone));
    this.#objects = new Map(
      (await Promise.all(objects)).flatMap((each) => (each === undefined ? [] : [[keyOf(each.at), each]])),
    );
  }

  async restore(): Promise<void> {
    const present = await this.#present();
    const changed = [...this.#objects].flatMap(([key, object]) =>
      present.get(key)?.version === object.version ? [] : [object],
    );
    if ((await Promise.all(changed.map((object) => this.#hasLost(object)))).includes(true)) {
      await this.remake();
      return;
    }
    const added = [...present].flatMap(([key, { at }]) => (this.#objects.has(key) ? [] : [at]));
    await Promise.all([
      ...added.map((at) => this.#remove(at)),
      ...changed.map((object) => this.#rewrite(object)),
    ]);
  }

  /** Whether a change cannot be undone: data, which clones of objects preserve for snapshots; a removed snapshot. */
  async #hasLost({ at, omap }: KeptObject): Promise<boolean> {
    if (isData(at)) return true;
    const snapshots = [...omap.keys()].filter((key) => key.startsWith("snapshot_"));
    if (snapshots.length === 0) return false;
    const operation = new ReadOperation().getOmapValuesByKeys(snapshots);
    const outcome = await this.#in(at).operate(at.name, operation).catch(undefinedIfGone);
    return outcome?.values[0].size !== snapshots.length;
  }

  async #read(at: ListedObject): Promise<KeptObject> {
    const operation = new ReadOperation().getXattrs().getOmapHeader().getOmapValues();
    const { version, values } = await this.#in(at).operate(at.name, operation);
    const [xattrs, header, { values: omap, more }] = values;
    if (more) throw new Error(`${at.name} has too many omap values to be kept`);
    const data = isData(at) ? Buffer.alloc(0) : await this.#in(at).read(at.name);
    return { at, version, xattrs, header, omap, data };
  }

  async #rewrite(object: KeptObject): Promise<void> {
    const { at, xattrs, header, omap, data } = object;
    await this.#remove(at);
    const operation = new WriteOperation().writeFull(data).setOmapHeader(header).setOmapValues(omap);
    for (const [name, value] of xattrs) operation.setXattr(name, value);
    object.version = (await this.#in(at).operate(at.name, operation)).version;
  }

  async #remove(at: ListedObject): Promise<void> {
    await this.#in(at).remove(at.name).catch(undefinedIfGone);
  }

  /** The objects with their versions. */
  async #present(): Promise<Map<string, { at: ListedObject; version: number }>> {
    const found = (await this.#list()).map(async (at) => {
      const outcome = await this.#in(at).operate(at.name, new ReadOperation().stat()).catch(undefinedIfGone);
      return outcome === undefined ? [] : [[keyOf(at), { at, version: outcome.version }] as const];
    });
    return new Map((await Promise.all(found)).flat());
  }

  /** Includes objects of which only snapshots are left. */
  async #list(): Promise<ListedObject[]> {
    const objects: ListedObject[] = [];
    for await (const object of this.#pool.listObjects({ allNamespaces: true })) objects.push(object);
    return objects;
  }

  #in({ namespace }: ListedObject): Pool {
    return this.#pool.with({ namespace });
  }
}

/** An object with all that it holds; of data only the version. */
interface KeptObject {
  readonly at: ListedObject;
  version: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  readonly header: Buffer;
  readonly omap: ReadonlyMap<string, Buffer>;
  readonly data: Buffer;
}

function isData({ name }: ListedObject): boolean {
  return name.startsWith("rbd_data.");
}

function keyOf({ namespace, name }: ListedObject): string {
  return `${namespace}/${name}`;
}

function undefinedIfGone(error: unknown): undefined {
  if (!(error instanceof RadosError) || error.code !== "ENOENT") throw error;
}

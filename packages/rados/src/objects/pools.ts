import { RadosError } from "../errors.ts";
import type { OsdMapFeed } from "../mon/osdmap-feed.ts";
import type { Objecter } from "../objecter/objecter.ts";
import type { ObjecterListener } from "../objecter/objecter-host.ts";
import type { WaitOptions } from "../wait.ts";
import type { PoolOptions } from "./object-options.ts";
import { Pool, type PoolHost } from "./pool.ts";
import type { PoolOps } from "./pool-snapshots.ts";
import { Lingers } from "./watch/lingers.ts";

/** The pools of a cluster handle, and what they have in common. */
export class Pools {
  readonly #host: PoolHost;
  readonly #maps: OsdMapFeed;
  readonly #listening = new DisposableStack();

  constructor(objecter: Objecter, maps: OsdMapFeed, mons: PoolOps) {
    this.#maps = maps;
    const lingers = new Lingers(objecter, () => maps.map!);
    const listener: ObjecterListener = {
      watchNotify: (event) => lingers.take(event),
      sessionLost: (osd) => lingers.connectionLost(osd),
    };
    this.#listening.use(objecter.listen(listener));
    this.#listening.use(maps.watch(() => lingers.mapChanged()));
    this.#host = {
      ...{ objecter, lingers },
      osdmap: () => maps.map!,
      poolOp: (op, what, options) => mons.poolOp(op, what, options),
      latestOsdMap: (options) => mons.latestOsdMap(options),
    };
  }

  /** A pool that is not in the current map may be newer. */
  async open(name: string, options: PoolOptions & Pick<WaitOptions, "signal"> = {}): Promise<Pool> {
    const { signal, ...rest } = options;
    const map = this.#maps.map?.poolByName(name) ? this.#maps.map : await this.#host.latestOsdMap({ signal });
    const found = map.poolByName(name);
    if (found !== undefined) return new Pool(this.#host, found.id, rest);
    throw new RadosError("ENOENT", `there is no pool ${name} (ENOENT)`, {
      hint: `the cluster's pools: ${[...map.state.poolNames.values()].join(", ") || "none"}`,
    });
  }

  close(error: RadosError): void {
    this.#listening.dispose();
    this.#host.lingers.end(error);
  }
}

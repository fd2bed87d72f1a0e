import { WireError } from "@siphon/wire";
import type { OsdMapMessage } from "../messages/osd-map.ts";
import { advanceOsdMap, type OsdMap } from "../osdmap/osdmap.ts";
import { type WaitOptions, within } from "../wait.ts";

export type OsdMapListener = (map: OsdMap) => void;

/** The source of missing maps. */
export interface OsdMapSource {
  /** Requests maps from this epoch; 0 for the latest full map. */
  subscribe(what: "osdmap", start: number): void;
  received(what: "osdmap", epoch: number): void;
}

/** The current OSD map, updated by the monitors and by OSDs that know newer maps. */
export class OsdMapFeed {
  readonly #source: OsdMapSource;
  readonly #listeners = new Set<OsdMapListener>();
  #map: OsdMap | undefined;

  constructor(source: OsdMapSource) {
    this.#source = source;
  }

  /** Undefined until the first map has arrived. */
  get map(): OsdMap | undefined {
    return this.#map;
  }

  /** Calls back with each new map, until disposed of. */
  watch(listener: OsdMapListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** The map of this epoch or a later one. */
  async atLeast(epoch: number, options: WaitOptions = {}): Promise<OsdMap> {
    if (this.#map !== undefined && this.#map.epoch >= epoch) return this.#map;
    const arrived = Promise.withResolvers<OsdMap>();
    using _watch = this.watch((map) => {
      if (map.epoch >= epoch) arrived.resolve(map);
    });
    const have = () => (this.#map === undefined ? "none" : `epoch ${this.#map.epoch}`);
    return await within(
      arrived.promise,
      () => `no OSD map of epoch ${epoch} (the newest is ${have()})`,
      options,
    );
  }

  /**
   * Takes maps from a monitor or OSD. Requests maps to fill a gap, and after an incremental with a wrong resulting
   * checksum.
   *
   * @throws WireError for a damaged or invalid full map
   */
  take(message: OsdMapMessage): void {
    let advanced: ReturnType<typeof advanceOsdMap>;
    try {
      advanced = advanceOsdMap(this.#map, message);
    } catch (error) {
      const damagedChange = error instanceof WireError && error.code === "SIPHON_WIRE_CHECKSUM";
      if (!damagedChange || message.fulls.size > 0) throw error;
      this.#source.subscribe("osdmap", 0);
      return;
    }
    const { map, missing } = advanced;
    if (missing !== undefined) this.#source.subscribe("osdmap", missing);
    if (map === undefined || map === this.#map) return;
    this.#map = map;
    this.#source.received("osdmap", map.epoch);
    for (const listener of [...this.#listeners]) listener(map);
  }
}

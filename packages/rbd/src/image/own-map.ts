import type { Cluster } from "@siphon/rados";
import { NO_SNAP } from "@siphon/rados";
import type { ClassCall } from "../cls/class-call.ts";
import { setFlags } from "../cls/image.ts";
import { hasCode, isFenced } from "../errors.ts";
import { type ImageHeader, imageFlag } from "../header/image-header.ts";
import type { ImageIo } from "../io/image-io.ts";
import type { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { has } from "./features.ts";

interface MappedImage {
  readonly cluster: Cluster;
  readonly header: ImageHeader;
  readonly io: ImageIo;
  readonly maps: StoredObjectMaps;
  readonly readOnly: boolean;
  readonly lock: { readonly held: boolean } | undefined;
  changeHeader(...calls: readonly ClassCall[]): Promise<void>;
}

/** The object map of an open image, which the I/O uses while this client has the image's lock. */
export class OwnMap {
  readonly #image: MappedImage;

  constructor(image: MappedImage) {
    this.#image = image;
  }

  /** Takes the map's lock and loads the map, unless it is invalid. */
  async open(): Promise<void> {
    if (!this.#isValid) return;
    await this.#image.maps.lock();
    await this.#load();
  }

  /**
   * Loads the map again if this client has the image's lock, and takes the map's lock if necessary; meanwhile reads ask
   * the OSDs.
   */
  async reload(): Promise<void> {
    const { io, lock, readOnly } = this.#image;
    if (readOnly) return;
    io.useMap(undefined);
    if (lock?.held) await this.open();
  }

  /** Stops using the map, and releases its lock. */
  async close(): Promise<void> {
    const { io, header, maps } = this.#image;
    io.useMap(undefined);
    if (!has(header, "objectMap")) return;
    // The next owner of the image's lock breaks the map's lock.
    await maps.unlock().catch((error) => {
      if (isFenced(error)) throw error;
    });
  }

  /** Marks the map, or a snapshot's, as invalid until it is rebuilt. It stays in use until the header says so. */
  async invalidate(snapId: number | undefined): Promise<void> {
    const { header, io } = this.#image;
    const flags = imageFlag.objectMapInvalid | (has(header, "fastDiff") ? imageFlag.fastDiffInvalid : 0);
    await this.#image.changeHeader(setFlags(flags, flags, snapId ?? NO_SNAP));
    if (snapId === undefined) io.useMap(undefined);
  }

  get #isValid(): boolean {
    const { header } = this.#image;
    return has(header, "objectMap") && (header.flags & imageFlag.objectMapInvalid) === 0;
  }

  async #load(): Promise<void> {
    const { cluster, header, io, maps } = this.#image;
    const { id: imageId, poolId, namespace, size } = header;
    const states = await maps.load().catch((error) => {
      if (hasCode(error, "ENOENT") || error?.name === "WireError") return undefined;
      throw error;
    });
    if (states === undefined || states.size < io.layout.objectCount(size)) {
      await this.invalidate(undefined);
      return;
    }
    const { objecter } = cluster;
    const onInvalid = (snapId: number | undefined) => this.invalidate(snapId);
    const opened = io.newMap({ objecter, poolId, namespace, imageId, states, onInvalid });
    if (this.#image.lock?.held) io.useMap(opened);
  }
}

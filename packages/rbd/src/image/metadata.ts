import type { Pool } from "@siphon/rados";
import { getMetadata, listMetadata, removeMetadata, setMetadata } from "../cls/metadata.ts";
import { ask, changeAll } from "../cls/run.ts";
import { hasCode } from "../errors.ts";

interface Described {
  readonly pool: Pool;
  /** The object with the metadata: an image's header, or a pool's rbd_info. */
  readonly headerName: string;
  /** The object may be missing as long as there is no metadata. */
  readonly isOptional?: boolean;
  /** Announces a change to other clients. */
  announce(): Promise<void>;
}

/**
 * The metadata of an image or a pool: names and values set by people or programs. Names `conf_...` are settings, which
 * `Overrides` changes.
 */
export class Metadata {
  readonly #image: Described;

  constructor(image: Described) {
    this.#image = image;
  }

  /** All names and values, sorted by name. */
  async list(): Promise<Map<string, string>> {
    const { pool, headerName, isOptional } = this.#image;
    const all = new Map<string, string>();
    const missing = (error: unknown): Map<string, Buffer> => {
      if (!isOptional || !hasCode(error, "ENOENT")) throw error;
      return new Map();
    };
    for (let after = ""; ; ) {
      const page = await ask(pool, headerName, listMetadata(after, 64)).catch(missing);
      for (const [name, value] of page) all.set(name, value.toString("utf8"));
      if (page.size < 64) return all;
      after = [...page.keys()].at(-1)!;
    }
  }

  /** @throws RadosError ENOENT for an unknown name */
  async get(name: string): Promise<string> {
    const { pool, headerName } = this.#image;
    return (await ask(pool, headerName, getMetadata(name))).toString("utf8");
  }

  /** Adds names, and replaces the values of those that exist. */
  async set(values: ReadonlyMap<string, string>): Promise<void> {
    if (values.size === 0) return;
    await changeAll(this.#image.pool, this.#image.headerName, [setMetadata(values)]);
    await this.#image.announce();
  }

  /** Removes a name; does nothing if there is no such name. */
  async remove(name: string): Promise<void> {
    await changeAll(this.#image.pool, this.#image.headerName, [removeMetadata(name)]);
    await this.#image.announce();
  }
}

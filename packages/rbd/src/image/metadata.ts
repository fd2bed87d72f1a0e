import type { Pool } from "@siphon/rados";
import { getMetadata, listMetadata, removeMetadata, setMetadata } from "../cls/metadata.ts";
import { ask, changeAll } from "../cls/run.ts";

interface DescribedImage {
  /** Pool of the header object. */
  readonly pool: Pool;
  readonly headerName: string;
  /** Reads the header again, and tells all others who have the image open. */
  announce(): Promise<void>;
}

/** An image's metadata: names and values that people or programs have given it. Settings of the image are `conf_...` among them. */
export class Metadata {
  readonly #image: DescribedImage;

  constructor(image: DescribedImage) {
    this.#image = image;
  }

  /** All names and values, sorted by name. */
  async list(): Promise<Map<string, string>> {
    const { pool, headerName } = this.#image;
    const all = new Map<string, string>();
    for (let after = ""; ; ) {
      const page = await ask(pool, headerName, listMetadata(after, 64));
      for (const [name, value] of page) all.set(name, value.toString("utf8"));
      if (page.size < 64) return all;
      after = [...page.keys()].at(-1)!;
    }
  }

  /** @throws RadosError ENOENT for a name that has no value */
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

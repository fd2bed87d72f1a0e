import { type Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import { hasCode, RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import type { ImageIo } from "../io/image-io.ts";
import { isStale } from "../io/presence.ts";
import type { Settings } from "../settings/settings.ts";
import { tuningOf } from "../settings/tuning.ts";
import { goneError, type Shown, shownBy } from "./shown.ts";

interface HeaderFollower {
  readonly cluster: Cluster;
  readonly pool: Pool;
  readonly io: ImageIo;
  readonly settings: Settings;
  /** A header was read, and the I/O goes by it; `size` is the image's size before, in bytes. */
  followed(size: number): void;
}

/**
 * The header of an open image, which is read again whenever it has changed. The I/O then goes by what it says: sizes and snapshots, the
 * parent, the object map of the snapshot that is read.
 */
export class CurrentHeader {
  readonly #image: HeaderFollower;
  readonly #withoutParents: boolean;
  #value: ImageHeader;
  #refreshed: Promise<void> = Promise.resolve();
  /** A refresh that has not begun. */
  #next: Promise<void> | undefined;
  /** The next refresh opens the parents again, though they are the same. */
  #parentsStale = true;

  constructor(
    image: HeaderFollower,
    header: ImageHeader,
    { withoutParents = false }: { withoutParents?: boolean | undefined },
  ) {
    this.#image = image;
    this.#value = header;
    this.#withoutParents = withoutParents;
  }

  get value(): ImageHeader {
    return this.#value;
  }

  /** Follows the header that the image was opened with. */
  start(): Promise<void> {
    return this.#refresh(this.#value);
  }

  /** Reads the header again; when this returns, the image follows it. */
  refresh(): Promise<void> {
    // One that has begun may have read the header before the change that this one is to see.
    if (this.#next === undefined) {
      const begin = () => {
        this.#next = undefined;
        return this.#refresh();
      };
      this.#next = this.#refreshed.then(begin, begin);
      this.#refreshed = this.#next;
      this.#refreshed.catch(() => {});
    }
    return this.#next;
  }

  /** Looks for the parents again: one of them is gone. */
  async renewParents(): Promise<void> {
    this.#parentsStale = true;
    await this.refresh().catch((error) => {
      throw hasCode(error, "ENOENT") ? goneError(this.#value, error) : error;
    });
  }

  /** @param known a header that was just read */
  async #refresh(known?: ImageHeader): Promise<void> {
    const { cluster, pool, io } = this.#image;
    const anew = this.#parentsStale;
    this.#parentsStale = false;
    const { id, name } = this.#value;
    for (let attempt = 1; ; attempt++) {
      const header = attempt === 1 && known ? known : await readHeader(pool, id, name);
      const { size } = io;
      let shown: Shown;
      try {
        shown = await shownBy(cluster, io, this.#value, header, {
          anew,
          withoutParents: this.#withoutParents,
          tuning: tuningOf(this.#image.settings, "parent"),
        });
      } catch (error) {
        // Flattened since the header was read: the header says so now. Or somebody destroyed the parent.
        if (!isStale(error)) throw error;
        if (attempt === attempts) throw this.#parentGone(error as RbdError);
        continue;
      }
      this.#value = header;
      if (io.snapId !== NO_SNAP) io.useMap(shown.map);
      const following = io.follow(header, shown.parent);
      this.#image.followed(size);
      await following;
      return;
    }
  }

  #parentGone(cause: RbdError): RbdError {
    const message = `the parent of image ${this.#value.name} is gone: ${cause.message}`;
    return new RbdError("SIPHON_RBD_NO_SNAPSHOT", message, { cause });
  }
}

/** How often a header that names parents that are gone is read. */
const attempts = 5;

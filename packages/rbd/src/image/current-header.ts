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
  /** The I/O uses a new header; `size` is the image's previous size in bytes. */
  followed(size: number): void;
}

/**
 * The header of an open image, read again after each change. The I/O then uses its sizes, snapshots and parent, and the
 * object map of an open snapshot.
 */
export class CurrentHeader {
  readonly #image: HeaderFollower;
  readonly #withoutParents: boolean;
  #value: ImageHeader;
  #refreshed: Promise<void> = Promise.resolve();
  /** A refresh that has not begun. */
  #next: Promise<void> | undefined;
  /** The next refresh reopens the parents even if they are unchanged. */
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

  /** Applies the header that the image was opened with. */
  start(): Promise<void> {
    return this.#refresh(this.#value);
  }

  /** Reads the header again; when this returns, the image follows it. */
  refresh(): Promise<void> {
    // A refresh in progress may have read the header before the change.
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

  /** Reopens the parents: one of them is gone. */
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
        // The image was flattened after the header was read, so the header has changed; or the parent was destroyed.
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

/** Number of attempts for a header whose parents are gone. */
const attempts = 5;

import { setTimeout } from "node:timers/promises";
import { Reader, Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { opCode, requestFlag } from "../objecter/op-code.ts";
import { ObjectTarget } from "../objecter/target.ts";
import { objectHash } from "../osdmap/object-hash.ts";
import {
  cursorAt,
  cursorText,
  endOfHashes,
  type ObjectCursor,
  parseCursor,
  readCursor,
  reversedHash,
  writeCursor,
} from "./object-cursor.ts";
import type { Op } from "./op.ts";
import { decoded, OperationRequest, type Submitter } from "./operation-request.ts";
import type { PoolIdentity } from "./pool-identity.ts";

export interface ListedObject {
  name: string;
  namespace: string;
  /** The locator key that placed it instead of its name; empty for none. */
  key: string;
}

export interface ListOptions {
  /** List all namespaces, not only the pool handle's. */
  allNamespaces?: boolean;
  /** Objects per request; default 1,024, the OSD's limit (osd_max_pgls). */
  pageSize?: number;
  /** Continues a listing from its `cursor`. */
  cursor?: string;
  /** One of several equal parts of the pool, by the hashes of names: for parallel listings. */
  part?: { index: number; of: number };
  /** Only objects with this value of an extended attribute. */
  filter?: { xattr: string; value: Uint8Array | string };
  /** Milliseconds for each page. */
  timeout?: number;
  signal?: AbortSignal;
}

/**
 * The objects of a pool, PG by PG. An object that exists during the whole listing appears exactly once, even while PGs
 * split or merge; one that is created or removed meanwhile may or may not appear.
 */
export class ObjectListing implements AsyncIterable<ListedObject> {
  readonly #pool: PoolIdentity;
  readonly #objecter: Submitter;
  readonly #options: ListOptions;
  readonly #end: number;
  #next: ObjectCursor;

  constructor(pool: PoolIdentity, objecter: Submitter, options: ListOptions = {}) {
    const { cursor, part = { index: 0, of: 1 } } = options;
    if (!(part.index >= 0 && part.index < part.of)) {
      throw new RangeError(`there is no part ${part.index} of ${part.of}`);
    }
    this.#pool = pool;
    this.#objecter = objecter;
    this.#options = options;
    this.#end = Math.floor((endOfHashes * (part.index + 1)) / part.of);
    this.#next =
      cursor === undefined
        ? cursorAt(pool.id, Math.floor((endOfHashes * part.index) / part.of))
        : parseCursor(cursor);
    if (this.#next.poolId !== pool.id) throw new RangeError("the cursor belongs to another pool");
  }

  /** Position after the last listed object, for a later `listObjects` with the same part. */
  get cursor(): string {
    return cursorText(this.#next);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ListedObject, void, undefined> {
    for await (const { objects, next } of this.#pages()) {
      for (const [i, object] of objects.entries()) {
        const following = objects[i + 1];
        this.#next = following === undefined ? next : this.#cursorOf(following);
        yield object;
      }
    }
  }

  async *#pages(): AsyncGenerator<Page> {
    while (reversedHash(this.#next) < this.#end) {
      const page = await this.#fetch();
      if (page === undefined) {
        // The client's map is older than the OSD's: waits for a newer one.
        await setTimeout(retryInterval);
        continue;
      }
      const objects = page.objects.filter((object) => this.#isBeforeEnd(object));
      const next = reversedHash(page.next) < this.#end ? page.next : cursorAt(this.#pool.id, this.#end);
      if (objects.length > 0) yield { objects, next };
      this.#next = next;
    }
  }

  async #fetch(): Promise<Page | undefined> {
    const { id, name, namespace } = this.#pool;
    const { allNamespaces, filter, pageSize = 1_024, timeout = 0, signal } = this.#options;
    const op = listPage(this.#next, pageSize, filter);
    const listed = { namespace: allNamespaces ? everyNamespace : namespace };
    const target = new ObjectTarget(id, "", listed, this.#next.hash);
    const flags = requestFlag.read | requestFlag.pgOperation | requestFlag.ignoreOverlay;
    const request = new OperationRequest(target, [op], flags);
    request.timeout = timeout;
    const what = () => `cannot list the objects of pool ${name}`;
    await request.perform(this.#objecter, what, signal);
    const page = decoded(what, () => op.decode(request.outputs[0]!, request.result));
    if (page !== undefined && !this.#leadsOn(page.next)) {
      throw new RadosError("SIPHON_RADOS_PROTOCOL", `${what()}: the cursor of a page does not advance`);
    }
    return page;
  }

  #leadsOn(next: ObjectCursor): boolean {
    const further = reversedHash(next) - reversedHash(this.#next);
    return further > 0 || (further === 0 && cursorText(next) !== this.cursor);
  }

  #isBeforeEnd(object: ListedObject): boolean {
    return this.#end === endOfHashes || reversedHash(this.#cursorOf(object)) < this.#end;
  }

  #cursorOf({ name, namespace, key }: ListedObject): ObjectCursor {
    const hash = objectHash(this.#pool.state, name, { namespace, key });
    return { poolId: this.#pool.id, hash, namespace, key, name, isMax: false };
  }
}

interface Page {
  objects: ListedObject[];
  next: ObjectCursor;
}

/** Milliseconds. */
const retryInterval = 100;

/** The namespace that means all (librados::all_nspaces). */
const everyNamespace = "\x01";

/**
 * pgls: u64 count, u32 epoch (0); input: with a filter its strings, then the cursor. Output (pg_nls_response_t in
 * src/osd/osd_types.h): versioned; cursor behind the page, list of string namespace, string name, string key; empty if
 * the OSD no longer has the PG.
 */
export function listPage(
  cursor: ObjectCursor,
  count: number,
  filter: ListOptions["filter"],
): Op<Page | undefined> {
  const w = new Writer();
  // The class and method of old times, the kind of filter, and what that is told.
  if (filter)
    w.string("pg")
      .string("filter")
      .string("plain")
      .string(`_${filter.xattr}`)
      .blob(Buffer.from(filter.value));
  return {
    code: filter ? opCode.listObjectsFiltered : opCode.listObjects,
    writeArguments: (ops, at) => ops.setU64(at, count),
    input: writeCursor(w, cursor).finish(),
    decode: (output) => {
      if (output.length === 0) return undefined;
      return new Reader(output, "list of objects").versioned("pg_nls_response_t", 1, (r) => {
        const next = readCursor(r);
        const objects = r.list(12, () => ({ namespace: r.string(), name: r.string(), key: r.string() }));
        return { objects, next };
      });
    },
  };
}

import type { Reader } from "@siphon/wire";
import { RadosError } from "../../errors.ts";
import { NO_SNAP } from "../../objecter/snap-context.ts";
import { type ObjectPosition, reverseBits } from "../../osdmap/object-position.ts";
import { POOL_ERASURE, PoolFlag } from "../../osdmap/pool.ts";
import type { Pool } from "../pool.ts";
import { WriteOperation } from "../write-operation.ts";
import { parsed, readObjectBegin, readPgBegin, readSections, type Section, sectionKind } from "./sections.ts";

export type RestoredAction = "write" | "overwrite" | "skip" | "skip-snapshot";

export interface RestoreOptions {
  /** Skips existing objects. */
  keepExisting?: boolean;
  /** Only reports what would be written. */
  dryRun?: boolean;
  signal?: AbortSignal;
  /** Called first. @param pg the PG that the dump is of, such as `1.7`; undefined for a whole pool */
  begins?: (pg: string | undefined) => void;
  /** Called for each object, before its data is written. @param position the object in the notation of Ceph's programs */
  object?: (action: RestoredAction, position: string) => void;
}

/**
 * Writes the objects of a dump, of a pool or of a PG, to a pool. Existing objects are replaced. The dump is closed afterwards.
 *
 * @throws RadosError EFAULT for an invalid, damaged or truncated dump; the objects before the fault are in the pool
 */
export async function restorePool(
  pool: Pool,
  dump: AsyncIterable<Uint8Array>,
  options: RestoreOptions = {},
): Promise<void> {
  await using sections = readSections(dump);
  const { kind, content } = (await sections.next()).value as Section;
  if (kind === sectionKind.pgBegin) {
    const { pool: id, seed, isShard } = readPgBegin(content);
    if (isShard) throw new RadosError("EOPNOTSUPP", "the dump holds a shard of an erasure-coded pool");
    options.begins?.(`${id}.${seed.toString(16)}`);
  } else if (kind === sectionKind.poolBegin) options.begins?.(undefined);
  else throw new RadosError("EFAULT", `the dump begins with a section of kind ${kind}`);
  for await (const { kind, content } of sections) {
    if (kind === sectionKind.pgEnd || kind === sectionKind.poolEnd) return;
    if (kind === sectionKind.objectBegin) {
      await restoreObject(pool, readObjectBegin(content), sections, options);
    } else if (kind !== sectionKind.pgMetadata && kind <= sectionKind.poolEnd) {
      throw new RadosError("EFAULT", `the dump has a section of kind ${kind} outside of objects`);
    }
  }
}

async function restoreObject(
  pool: Pool,
  position: ObjectPosition,
  sections: AsyncIterable<Section> & AsyncIterator<Section>,
  options: RestoreOptions,
): Promise<void> {
  const { signal, object: told } = options;
  const name = `${position.name}`;
  const there = pool.with({ namespace: `${position.namespace}` });
  const where = { ...(position.key.length > 0 && { key: `${position.key}` }), ...(signal && { signal }) };
  const action = position.snap === headSnap ? await begin(there, name, where, options) : "skip-snapshot";
  told?.(action, positionText(position));
  const writes = !options.dryRun && (action === "write" || action === "overwrite");
  const data = new DataWriter(there, name, where);
  for (;;) {
    const { value, done } = await sections.next();
    if (done || value.kind === sectionKind.objectEnd) break;
    if (writes) await writePart(there, name, where, value, data);
  }
  if (writes) await data.end();
}

type Where = { key?: string; signal?: AbortSignal };

/** Creates the object, and returns whether it existed. */
async function begin(
  pool: Pool,
  name: string,
  where: Where,
  { keepExisting, dryRun }: RestoreOptions,
): Promise<RestoredAction> {
  if (dryRun) {
    const isThere = await pool.stat(name, where).then(() => true, falseOn("ENOENT"));
    return isThere ? (keepExisting ? "skip" : "overwrite") : "write";
  }
  const create = () =>
    pool
      .operate(name, new WriteOperation().create({ exclusive: true }), where)
      .then(() => true, falseOn("EEXIST"));
  if (await create()) return "write";
  if (keepExisting) return "skip";
  await pool.remove(name, where).catch(falseOn("ENOENT"));
  return (await create()) ? "overwrite" : "skip";
}

async function writePart(
  pool: Pool,
  name: string,
  where: Where,
  { kind, content }: Section,
  data: DataWriter,
): Promise<void> {
  // Later releases may add kinds, which are not needed here.
  if (kind > sectionKind.poolEnd) return;
  const change = new WriteOperation();
  const take = (r: Reader) => {
    if (kind === sectionKind.data) data.add(r.u64Number(), r.u64Number(), r.blob());
    else if (kind === sectionKind.omapHeader) {
      const header = r.blob();
      if (header.length > 0) change.setOmapHeader(header);
    } else if (kind === sectionKind.omap || kind === sectionKind.attributes) {
      const values = r.map(
        8,
        () => r.string(),
        () => r.blob(),
      );
      if (kind === sectionKind.omap) change.setOmapValues(values);
      // OSDs store users' attributes under names with this prefix; `_` alone is their own.
      else
        for (const [attribute, value] of values) {
          if (/^_./s.test(attribute)) change.setXattr(attribute.slice(1), value);
        }
    } else throw new RadosError("EFAULT", `the dump has a section of kind ${kind} in an object`);
  };
  parsed(() => content.versioned("section", 1, take));
  await data.flush();
  if (change.ops.length > 0) await pool.operate(name, change, where);
}

/** Writes data as it arrives, in whole stripes for erasure-coded pools without overwrites. */
class DataWriter {
  readonly #pool: Pool;
  readonly #name: string;
  readonly #where: Where;
  readonly #alignment: number;
  #offset = 0;
  #data: Buffer = Buffer.alloc(0);

  constructor(pool: Pool, name: string, where: Where) {
    this.#pool = pool;
    this.#name = name;
    this.#where = where;
    const { type, flags, stripeWidth } = pool.state;
    this.#alignment = type === POOL_ERASURE && (flags & PoolFlag.ecOverwrites) === 0 ? stripeWidth : 1;
  }

  add(offset: number, length: number, data: Buffer): void {
    if (length !== data.length)
      throw new RadosError("EFAULT", "the dump has data whose length differs from its record");
    if (this.#data.length === 0 && this.#alignment === 1) this.#offset = offset;
    if (offset !== this.#offset + this.#data.length) {
      throw new RadosError("EFAULT", "the dump has an object with gaps, which this pool cannot have");
    }
    this.#data = this.#data.length === 0 ? data : Buffer.concat([this.#data, data]);
  }

  flush(): Promise<void> {
    return this.#write(this.#data.length - (this.#data.length % this.#alignment));
  }

  end(): Promise<void> {
    return this.#write(this.#data.length);
  }

  async #write(length: number): Promise<void> {
    if (length === 0) return;
    await this.#pool.write(this.#name, this.#offset, this.#data.subarray(0, length), this.#where);
    this.#offset += length;
    this.#data = this.#data.subarray(length);
  }
}

/** A handler of failures that turns the expected one into `false`. */
function falseOn(code: string): (error: unknown) => false {
  return (error) => {
    if (!(error instanceof RadosError) || error.code !== code) throw error;
    return false;
  };
}

/** As Ceph's programs write it (ghobject_t): `#1:92f0a1c3:::name:head#`. */
function positionText({ pool, hash, namespace, key, name, snap }: ObjectPosition): string {
  const escaped = (text: Buffer) =>
    [...text.toString("latin1")]
      .map((c) => (/[%:/]|[^ -~]/.test(c) ? `%${c.charCodeAt(0).toString(16).padStart(2, "0")}` : c))
      .join("");
  const version = snap === headSnap ? "head" : snap.toString(16);
  const bits = reverseBits(hash).toString(16).padStart(8, "0");
  return `#${pool}:${bits}:${escaped(namespace)}:${escaped(key)}:${escaped(name)}:${version}#`;
}

const headSnap = BigInt.asUintN(64, BigInt(NO_SNAP));

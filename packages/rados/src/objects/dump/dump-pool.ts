import { RadosError } from "../../errors.ts";
import { readObject } from "../object-streams.ts";
import type { Pool } from "../pool.ts";
import { ReadOperation } from "../read-operation.ts";
import { dumpStart, objectBegin, section, sectionKind } from "./sections.ts";

/**
 * The objects of a pool, in all namespaces, with their attributes and omaps, in the format of `rados export`. Snapshots are not included; writes
 * that happen meanwhile may be.
 */
export async function* dumpPool(
  pool: Pool,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<Buffer> {
  const options = signal && { signal };
  yield dumpStart();
  yield section(sectionKind.poolBegin);
  for await (const { name, namespace, key } of pool.listObjects({ allNamespaces: true, ...options })) {
    const there = pool.with({ namespace });
    const where = { ...options, ...(key !== "" && { key }) };
    const head = await there
      .operate(name, new ReadOperation().getXattrs().getOmapHeader(), where)
      .catch(unlessGone);
    if (head === undefined) continue;
    const [attributes, omapHeader] = head.values;
    yield objectBegin(name, namespace, key);
    let offset = 0;
    for await (const chunk of readObject(there, name, where)) {
      yield section(sectionKind.data, (w) => w.u64(offset).u64(chunk.length).blob(chunk));
      offset += chunk.length;
    }
    // OSDs store users' attributes under names with this prefix.
    yield section(sectionKind.attributes, (w) =>
      w.map(attributes, (w, attribute, value) => w.string(`_${attribute}`).blob(value)),
    );
    yield section(sectionKind.omapHeader, (w) => w.blob(omapHeader));
    for await (const values of there.omapPages(name, {}, where)) {
      if (values.size === 0) continue;
      yield section(sectionKind.omap, (w) => w.map(values, (w, key, value) => w.string(key).blob(value)));
    }
    yield section(sectionKind.objectEnd);
  }
  yield section(sectionKind.poolEnd);
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof RadosError) || error.code !== "ENOENT") throw error;
}

import { PoolFlag, RadosError, WriteOperation } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { bytesText, columns, json } from "./format.ts";

export const poolVerbs: RadosVerb[] = [
  { name: "lspools", arguments: "", summary: "list the names of the pools", takes: [0, 0], run: lspools },
  {
    name: "df",
    arguments: "",
    summary: "show the contents of the pools, and the free space",
    takes: [0, 0],
    run: df,
  },
  {
    ...{ name: "purge", arguments: "<pool> --yes-i-really-really-mean-it" },
    summary: "remove all objects of a pool, in all namespaces",
    ...{ takes: [1, 1], run: purge },
  },
  {
    ...{ name: "list-inconsistent-pg", arguments: "<pool>" },
    summary: "list the placement groups in which a scrub found errors",
    ...{ takes: [1, 1], run: listInconsistent },
  },
  {
    ...{ name: "cppool", arguments: "<pool> <pool> [--yes-i-really-mean-it]" },
    summary: "copy all objects of a pool to another one, without snapshots",
    ...{ takes: [2, 2], run: cppool },
  },
];

async function lspools({ cluster, print }: RadosCall): Promise<void> {
  for (const name of cluster.pools.values()) print(`${name}\n`);
}

async function df(call: RadosCall): Promise<void> {
  const { pools, objects, usedKib, availableKib, totalKib } = await call.cluster.statistics({
    signal: call.signal,
  });
  const { pool: only, format } = call.flags;
  const shown = pools
    .filter(({ name }) => only === undefined || name === only)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (format !== "plain") {
    const fields = shown.map((pool) => ({
      ...{ name: pool.name, id: pool.id, size_bytes: pool.usedBytes, size_kb: pool.usedKib },
      ...{ num_objects: pool.objects, num_object_clones: pool.clones, num_object_copies: pool.copies },
      ...{ num_objects_missing_on_primary: pool.missingOnPrimary, num_objects_unfound: pool.unfound },
      ...{ num_objects_degraded: pool.degraded, read_ops: pool.reads, read_bytes: pool.readBytes },
      ...{ write_ops: pool.writes, write_bytes: pool.writtenBytes },
      ...{ compress_bytes_used: pool.compressedBytes, compress_under_bytes: pool.uncompressedBytes },
    }));
    const whole = {
      total_objects: objects,
      total_used: usedKib,
      total_avail: availableKib,
      total_space: totalKib,
    };
    call.print(json({ pools: fields, ...whole }, format));
    return;
  }
  const rows = shown.map((pool) => [
    ...[pool.name, bytesText(pool.usedBytes), pool.objects, pool.clones, pool.copies],
    ...[pool.missingOnPrimary, pool.unfound, pool.degraded, pool.reads, bytesText(pool.readBytes)],
    ...[pool.writes, bytesText(pool.writtenBytes)],
    ...[bytesText(pool.compressedBytes), bytesText(pool.uncompressedBytes)],
  ]);
  call.print(`${columns([titles, ...rows])}\n`);
  call.print(`total_objects    ${objects}\n`);
  call.print(`total_used       ${bytesText(usedKib * 1024)}\n`);
  call.print(`total_avail      ${bytesText(availableKib * 1024)}\n`);
  call.print(`total_space      ${bytesText(totalKib * 1024)}\n`);
}

/** Removes objects while the pool is being listed, a limited number at a time. */
async function purge(call: RadosCall): Promise<void> {
  const { cluster, object: name, flags, signal } = call;
  if (!flags.reallyMeant) {
    throw new SiphonError("EPERM", `this removes all objects of pool ${name}, for good`, {
      hint: "to confirm, add --yes-i-really-really-mean-it",
    });
  }
  const pool = await cluster.pool(name, { signal });
  const removals = new Set<Promise<void>>();
  let removed = 0;
  for await (const { name: object, namespace, key } of pool.listObjects({ allNamespaces: true, signal })) {
    const removal = pool
      .with({ namespace })
      .remove(object, { key, signal, whenFull: "fail" })
      .catch(unlessGone)
      .finally(() => removals.delete(removal));
    // The first failure ends the removal; later ones are not reported.
    removal.catch(() => {});
    removals.add(removal);
    removed++;
    if (removals.size >= flags.concurrency) await Promise.race(removals);
  }
  await Promise.all(removals);
  call.print(
    `Removed ${removed} ${removed === 1 ? "object" : "objects"}\nsuccessfully purged pool ${name}\n`,
  );
}

async function listInconsistent({ cluster, object: name, flags, print, signal }: RadosCall): Promise<void> {
  const pool = await cluster.pool(name, { signal });
  const { format } = flags;
  const found = (await cluster.command(
    { prefix: "pg ls", pool: pool.id, states: ["inconsistent"] },
    { target: "mgr", signal },
  )) as { pg_stats?: { pgid: string }[] };
  const ids = found.pg_stats?.map(({ pgid }) => pgid) ?? [];
  print(`${json(ids, format === "plain" ? "json" : format)}\n`);
}

/** The OSDs copy the data; it does not pass through this process. */
async function cppool(call: RadosCall): Promise<void> {
  const { cluster, flags, signal } = call;
  const [from, to] = call.args as [string, string];
  if (from === to) throw new SiphonError("SIPHON_USAGE", "cannot copy pool into itself");
  const [source, target] = [await cluster.pool(from, { signal }), await cluster.pool(to, { signal })];
  if ((source.state.flags & PoolFlag.selfManagedSnaps) !== 0 && !flags.meant) {
    throw new SiphonError("EPERM", `pool ${from} has selfmanaged snaps, such as those of RBD images`, {
      hint: "a copy without them is of no use to RBD; to make it all the same, add --yes-i-really-mean-it",
    });
  }
  for await (const { name, namespace, key } of source.listObjects({ allNamespaces: true, signal })) {
    const path = namespace === "" ? name : `${namespace}/${name}`;
    call.print(`${from}:${path}${key && `(@${key})`} => ${to}:${path}\n`);
    const operation = new WriteOperation().copyFrom({ poolId: source.id, name, namespace, key });
    const where = { signal, ...(key !== "" && { key }) };
    await target.with({ namespace }).operate(name, operation, where).catch(unlessGone);
  }
  call.print(`successfully copied pool ${from}\n`);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof RadosError) || error.code !== "ENOENT") throw error;
}

const titles = [
  ...["POOL_NAME", "USED", "OBJECTS", "CLONES", "COPIES", "MISSING_ON_PRIMARY", "UNFOUND", "DEGRADED"],
  ...["RD_OPS", "RD", "WR_OPS", "WR", "USED COMPR", "UNDER COMPR"],
];

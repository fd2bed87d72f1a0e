import type { RadosCall, RadosVerb } from "./call.ts";
import { dottedTime } from "./format.ts";

/** Snapshots of whole pools. */
export const snapshotVerbs: RadosVerb[] = [
  { name: "lssnap", arguments: "", summary: "list the snapshots of the pool", takes: [0, 0], run: lssnap },
  { name: "mksnap", arguments: "<snapshot>", summary: "snapshot the pool", takes: [1, 1], run: mksnap },
  { name: "rmsnap", arguments: "<snapshot>", summary: "remove a snapshot", takes: [1, 1], run: rmsnap },
  {
    ...{ name: "rollback", arguments: "<object> <snapshot>" },
    ...{ summary: "make an object what it was at a snapshot", takes: [2, 2], run: rollback },
  },
];

async function lssnap(call: RadosCall): Promise<void> {
  const snapshots = (await call.pool()).snapshots.list();
  for (const { id, name, created } of snapshots) call.print(`${id}\t${name}\t${dottedTime(created)}\n`);
  call.print(`${snapshots.length} snaps\n`);
}

async function mksnap(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  await pool.snapshots.create(call.object, { signal: call.signal });
  call.print(`created pool ${pool.name} snap ${call.object}\n`);
}

async function rmsnap(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  await pool.snapshots.remove(call.object, { signal: call.signal });
  call.print(`removed pool ${pool.name} snap ${call.object}\n`);
}

async function rollback(call: RadosCall): Promise<void> {
  const [object, snapshot] = call.args as [string, string];
  const pool = await call.pool();
  await pool.rollback(object, call.snapshotOf(pool, snapshot).id, { signal: call.signal });
  call.print(`rolled back pool ${pool.name} to snapshot ${snapshot}\n`);
}

import { NO_SNAP, ReadOperation, SNAP_DIR, WriteOperation } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { json, timestamp } from "./format.ts";

export const objectVerbs: RadosVerb[] = [
  {
    ...{ name: "ls", arguments: "", summary: "list the objects of the pool" },
    ...{ takes: [0, 0], hasOutput: "any", run: ls },
  },
  {
    name: "stat",
    arguments: "<object>",
    summary: "show the size and time of an object",
    takes: [1, 1],
    run: stat,
  },
  {
    ...{ name: "stat2", arguments: "<object>", summary: "the same, with the time to the microsecond" },
    ...{ takes: [1, 1], run: stat2 },
  },
  {
    ...{ name: "touch", arguments: "<object> [seconds]" },
    summary: "set the time of an object, which is created if need be, to now or a time since 1970",
    ...{ takes: [1, 2], run: touch },
  },
  {
    ...{ name: "mapext", arguments: "<object>", summary: "list the extents of an object that have data" },
    ...{ takes: [1, 1], run: mapext },
  },
  {
    ...{ name: "listsnaps", arguments: "<object>", summary: "list the snapshots of an object" },
    ...{ takes: [1, 1], run: listsnaps },
  },
  {
    ...{ name: "set-alloc-hint", arguments: "<object> <bytes> <bytes of a write>" },
    summary: "tell the OSD how large an object and its writes will be",
    ...{ takes: [3, 3], run: setAllocHint },
  },
  { name: "create", arguments: "<object>", summary: "create an empty object", takes: [1, 1], run: create },
  {
    ...{ name: "truncate", arguments: "<object> <bytes>", summary: "truncate or extend an object" },
    ...{ takes: [2, 2], run: truncate },
  },
  { name: "rm", arguments: "<object>...", summary: "remove objects", takes: [1, 1e6], run: rm },
];

async function ls(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { all, format } = call.flags;
  const listing = pool.listObjects({ allNamespaces: all, signal: call.signal });
  if (format === "plain") {
    for await (const { namespace, name, key } of listing) {
      await call.write(Buffer.from(`${all ? `${namespace}\t` : ""}${name}${key && `\t${key}`}\n`));
    }
    return;
  }
  const objects = [];
  for await (const { namespace, name, key } of listing) {
    objects.push({ namespace, name, ...(key && { locator: key }) });
  }
  await call.write(Buffer.from(json(objects, format)));
}

async function stat(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { size, mtime } = await pool.stat(call.object, { signal: call.signal });
  call.print(`${pool.name}/${call.object} mtime ${timestamp(mtime)}, size ${size}\n`);
}

async function stat2(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { size, mtime, nanoseconds } = await pool.stat(call.object, { signal: call.signal });
  const time = timestamp(mtime, Math.floor(nanoseconds / 1000));
  call.print(`${pool.name}/${call.object} mtime ${time}, size ${size}\n`);
}

async function touch(call: RadosCall): Promise<void> {
  const [object, seconds] = call.args as [string, string | undefined];
  const mtime = seconds === undefined ? new Date() : new Date(wholeNumber("touch", seconds) * 1000);
  // rados prints whole seconds.
  mtime.setMilliseconds(0);
  const pool = await call.pool();
  await pool.operate(object, new WriteOperation().create(), { mtime, signal: call.signal });
}

async function mapext(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { values } = await pool.operate(call.object, new ReadOperation().mapExtents(), {
    signal: call.signal,
  });
  for (const { offset, length } of values[0]) call.print(`${offset.toString(16)}\t${length.toString(16)}\n`);
}

async function listsnaps(call: RadosCall): Promise<void> {
  const { format } = call.flags;
  const pool = await call.pool();
  const options = { snapId: SNAP_DIR, signal: call.signal };
  const { values } = await pool.operate(call.object, new ReadOperation().listSnaps(), options);
  const [{ seq, clones }] = values;
  if (format === "plain") {
    call.print(`${call.object} (seq:${seq}):\ncloneid\tsnaps\tsize\toverlap\n`);
    for (const { id, snaps, size, overlap } of clones) {
      const same = `\t[${overlap.map(({ offset, length }) => `${offset}~${length}`).join(",")}]\n`;
      call.print(`${id === NO_SNAP ? "head" : id}\t${snaps.join(",") || "-"}\t${size}`);
      if (id !== NO_SNAP) call.print(same);
    }
    call.print("\n");
    return;
  }
  const names = new Map(pool.snapshots.list().map(({ id, name }) => [id, name]));
  const shown = clones.map(({ id, snaps, size, overlap }) => ({
    id: id === NO_SNAP ? "head" : id,
    snapshots: snaps.map((snap) => ({ id: snap, ...(names.has(snap) && { name: names.get(snap) }) })),
    size,
    ...(id !== NO_SNAP && { overlaps: overlap.map(({ offset: start, length }) => ({ start, length })) }),
  }));
  call.print(json({ name: call.object, seq, clones: shown }, format));
}

async function setAllocHint(call: RadosCall): Promise<void> {
  const [object, bytes, ofWrite] = call.args as [string, string, string];
  const sizes = {
    objectSize: wholeNumber("set-alloc-hint", bytes),
    writeSize: wholeNumber("set-alloc-hint", ofWrite),
  };
  const pool = await call.pool();
  await pool.operate(object, new WriteOperation().allocationHint(sizes), { signal: call.signal });
}

async function create(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const operation = new WriteOperation().create({ exclusive: true });
  await pool.operate(call.object, operation, { signal: call.signal });
}

async function truncate(call: RadosCall): Promise<void> {
  const [object, text] = call.args as [string, string];
  await (await call.pool()).truncate(object, wholeNumber("truncate", text), { signal: call.signal });
}

function wholeNumber(verb: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new SiphonError("SIPHON_USAGE", `${verb} takes a whole number, and not ${text}`);
}

async function rm(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { signal, flags } = call;
  for (const object of call.args) {
    await pool.remove(object, { signal, ...(flags.whenFull && { whenFull: "force" }) });
  }
}

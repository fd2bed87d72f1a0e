import { WriteOperation } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { json, timestamp } from "./format.ts";

export const objectVerbs: RadosVerb[] = [
  { name: "ls", arguments: "", summary: "list the objects of the pool", takes: [0, 0], run: ls },
  {
    name: "stat",
    arguments: "<object>",
    summary: "show the size and time of an object",
    takes: [1, 1],
    run: stat,
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
  call.print(json(objects, format));
}

async function stat(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { size, mtime } = await pool.stat(call.object, { signal: call.signal });
  call.print(`${pool.name}/${call.object} mtime ${timestamp(mtime)}, size ${size}\n`);
}

async function create(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const operation = new WriteOperation().create({ exclusive: true });
  await pool.operate(call.object, operation, { signal: call.signal });
}

async function truncate(call: RadosCall): Promise<void> {
  const [object, text] = call.args as [string, string];
  if (!/^\d+$/.test(text))
    throw new SiphonError("SIPHON_USAGE", `truncate takes a number of bytes, and not ${text}`);
  await (await call.pool()).truncate(object, Number(text), { signal: call.signal });
}

async function rm(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  for (const object of call.args) await pool.remove(object, { signal: call.signal });
}

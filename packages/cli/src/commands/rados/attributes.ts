import { readFile, writeFile } from "node:fs/promises";
import { ReadOperation, WriteOperation } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { hexdump } from "./hexdump.ts";

/** Extended attributes and omaps. */
export const attributeVerbs: RadosVerb[] = [
  {
    name: "listxattr",
    arguments: "<object>",
    summary: "list the names of attributes",
    takes: [1, 1],
    run: listxattr,
  },
  {
    ...{
      name: "getxattr",
      arguments: "<object> <name>",
      summary: "print an attribute's value, byte for byte",
    },
    ...{ takes: [2, 2], run: getxattr },
  },
  {
    ...{ name: "setxattr", arguments: "<object> <name> [value]", summary: "set an attribute" },
    ...{ takes: [2, 3], run: setxattr },
  },
  {
    ...{ name: "rmxattr", arguments: "<object> <name>", summary: "remove an attribute" },
    ...{ takes: [2, 2], run: rmxattr },
  },
  {
    name: "listomapkeys",
    arguments: "<object>",
    summary: "list keys of the omap",
    takes: [1, 1],
    run: listomapkeys,
  },
  {
    ...{ name: "listomapvals", arguments: "<object>", summary: "list keys and values of the omap" },
    ...{ takes: [1, 1], run: listomapvals },
  },
  {
    ...{ name: "getomapval", arguments: "<object> <key> [file]" },
    ...{ summary: "print a value of the omap, or write it to a file", takes: [2, 3], run: getomapval },
  },
  {
    ...{ name: "setomapval", arguments: "<object> <key> [value]", summary: "set a value of the omap" },
    ...{ takes: [2, 3], run: setomapval },
  },
  {
    ...{ name: "rmomapkey", arguments: "<object> <key>", summary: "remove a key of the omap" },
    ...{ takes: [2, 2], run: rmomapkey },
  },
  {
    ...{ name: "clearomap", arguments: "<object>...", summary: "remove the omap of objects" },
    ...{ takes: [1, 1e6], run: clearomap },
  },
  {
    ...{ name: "getomapheader", arguments: "<object> [file]" },
    ...{ summary: "print the omap's header, or write it to a file", takes: [1, 2], run: getomapheader },
  },
  {
    ...{ name: "setomapheader", arguments: "<object> <value>", summary: "set the omap's header" },
    ...{ takes: [2, 2], run: setomapheader },
  },
];

async function listxattr(call: RadosCall): Promise<void> {
  const attributes = await (await call.pool()).getXattrs(call.object, { signal: call.signal });
  for (const name of attributes.keys()) call.print(`${name}\n`);
}

async function getxattr(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  await call.write(await pool.getXattr(call.object, call.args[1]!, { signal: call.signal }));
}

async function setxattr(call: RadosCall): Promise<void> {
  const value = await valueFor(call);
  await (await call.pool()).setXattr(call.object, call.args[1]!, value, { signal: call.signal });
}

async function rmxattr(call: RadosCall): Promise<void> {
  await (await call.pool()).removeXattr(call.object, call.args[1]!, { signal: call.signal });
}

async function listomapkeys(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  for (let after: string | undefined, more = true; more; ) {
    const range = after === undefined ? {} : { after };
    const page = await pool.getOmapKeys(call.object, range, { signal: call.signal });
    await call.write(Buffer.from(page.keys.map((key) => `${key}\n`).join("")));
    after = page.keys.at(-1);
    more = page.more && after !== undefined;
  }
}

async function listomapvals(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  for await (const [key, value] of pool.omapEntries(call.object, {}, { signal: call.signal })) {
    await call.write(Buffer.from(`${key}\n${shown(value)}`));
  }
}

async function getomapval(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const [object, key] = call.args as [string, string];
  const operation = new ReadOperation().getOmapValuesByKeys([key]);
  const { values } = await pool.operate(object, operation, { signal: call.signal });
  const value = values[0].get(key);
  if (value === undefined) {
    // rados prints this on standard output.
    call.print(`No such key: ${pool.name}/${object}/${key}\n`);
    process.exitCode = 1;
  } else await showOrWrite(call, call.args[2], "value", value);
}

async function setomapval(call: RadosCall): Promise<void> {
  const value = await valueFor(call);
  const values = new Map([[call.args[1]!, Buffer.from(value)]]);
  await (await call.pool()).setOmapValues(call.object, values, { signal: call.signal });
}

async function rmomapkey(call: RadosCall): Promise<void> {
  await (await call.pool()).removeOmapKeys(call.object, [call.args[1]!], { signal: call.signal });
}

async function clearomap(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  for (const object of call.args) {
    await pool.operate(object, new WriteOperation().clearOmap(), { signal: call.signal });
  }
}

async function getomapheader(call: RadosCall): Promise<void> {
  const header = await (await call.pool()).getOmapHeader(call.object, { signal: call.signal });
  await showOrWrite(call, call.args[1], "header", header);
}

async function setomapheader(call: RadosCall): Promise<void> {
  const operation = new WriteOperation().setOmapHeader(Buffer.from(call.args[1]!));
  await (await call.pool()).operate(call.object, operation, { signal: call.signal });
}

async function showOrWrite(
  call: RadosCall,
  file: string | undefined,
  what: string,
  value: Buffer,
): Promise<void> {
  if (file === undefined) {
    call.print(shown(value, what));
    return;
  }
  process.stderr.write(`Writing to ${file}\n`);
  if (file === "-") await call.write(value);
  else await writeFile(file, value);
}

function shown(value: Uint8Array, what = "value"): string {
  return `${what} (${value.length} bytes) :\n${hexdump(value)}\n`;
}

/** The third argument, the file that takes its place, or standard input. */
async function valueFor({ args, flags: { inputFile } }: RadosCall): Promise<Uint8Array> {
  if (inputFile !== undefined && args[2] !== undefined) {
    throw new SiphonError("SIPHON_USAGE", "the value is an argument, or in a file; not both");
  }
  if (args[2] !== undefined) return Buffer.from(args[2]);
  return readFile(inputFile === undefined || inputFile === "-" ? "/dev/stdin" : inputFile);
}

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { dumpPool, type RestoredAction, restorePool } from "@siphon/rados";
import type { RadosCall, RadosVerb } from "./call.ts";

/** Exports and imports whole pools. */
export const dumpVerbs: RadosVerb[] = [
  {
    ...{ name: "export", arguments: "[file]", summary: "write the objects of the pool to a file" },
    ...{ takes: [0, 1], run: exportPool },
  },
  {
    ...{ name: "import", arguments: "[--dry-run] [--no-overwrite] <file>" },
    summary: "put objects of an export into the pool (- for standard input)",
    ...{ takes: [1, 1], run: importPool },
  },
];

async function exportPool(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const [path = "-"] = call.args;
  if (path === "-") {
    for await (const bytes of dumpPool(pool, { signal: call.signal })) await call.write(bytes);
    return;
  }
  await using file = await open(path, "w");
  for await (const bytes of dumpPool(pool, { signal: call.signal })) await file.writeFile(bytes);
}

async function importPool(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { keepExisting, dryRun } = call.flags;
  const path = call.object;
  await restorePool(pool, path === "-" ? process.stdin : createReadStream(path), {
    ...{ keepExisting, dryRun, signal: call.signal },
    begins: (pg) => call.print(pg === undefined ? "Importing pool\n" : `Importing from pgid ${pg}\n`),
    object: (action, position) => call.print(`${words[action]} ${position}\n`),
  });
}

const words: Record<RestoredAction, string> = {
  write: "Write",
  overwrite: "***Overwrite***",
  skip: "Skipping existing",
  "skip-snapshot": "Skipping non-head for",
};

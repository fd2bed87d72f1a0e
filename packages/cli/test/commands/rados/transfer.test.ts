import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RadosCall } from "../../../src/commands/rados/call.ts";
import { transferVerbs } from "../../../src/commands/rados/transfer.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-transfer-"));
after(() => rmSync(directory, { recursive: true }));

/** Gets an object of 10 bytes in pieces of 4. */
async function get(path: string): Promise<void> {
  const content = Buffer.from("0123456789");
  const read = async (_: string, { offset, length }: { offset: number; length: number }) =>
    content.subarray(offset, offset + length);
  const call = {
    ...{ args: ["object", path], flags: { blockSize: 4 }, signal: undefined },
    pool: async () => ({ read }),
  };
  await transferVerbs.find(({ name }) => name === "get")!.run(call as unknown as RadosCall);
}

test("an object is written to a file, which is truncated", async () => {
  const path = join(directory, "file");
  for (let times = 0; times < 2; times++) await get(path);
  assert.equal(readFileSync(path, "utf8"), "0123456789");
});

test("a file that cannot be made or written fails the command, not the process", async () => {
  await assert.rejects(get(join(directory, "none", "file")), { code: "ENOENT" });
  await assert.rejects(get("/dev/full"), { code: "ENOSPC" });
});

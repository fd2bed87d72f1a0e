import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readNamed } from "../../src/evidence/named-file.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-doctor-named-"));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test("a regular file is read up to its limit", async () => {
  assert.equal(await readNamed(file("small", '[device "a"]\n')), '[device "a"]\n');
  assert.equal((await readNamed(file("most", Buffer.alloc(1 << 20, "x")))).length, 1 << 20);
  await assert.rejects(readNamed(file("large", Buffer.alloc((1 << 20) + 1))), /more than 1048576 bytes/);
});

test("what blocks, or never ends, is not read", { timeout: 20_000 }, async () => {
  const fifo = join(directory, "fifo");
  execFileSync("mkfifo", [fifo]);
  await assert.rejects(readNamed(fifo), /not a regular file/);
  await assert.rejects(readNamed("/dev/zero"), /not a regular file/);
});

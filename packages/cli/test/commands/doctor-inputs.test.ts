import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readInputs } from "../../src/commands/doctor/inputs.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-inputs-"));
after(() => rmSync(directory, { recursive: true }));

test("a FIFO is read like a file, as from <(virsh dumpxml vm1)", async () => {
  const fifo = join(directory, "fifo");
  execFileSync("mkfifo", [fifo]);
  const [files] = await Promise.all([readInputs([fifo]), writeFile(fifo, "<domain/>")]);
  assert.deepEqual(files, [{ name: fifo, text: "<domain/>" }]);
});

test("an input has a limit, also where its size is not known before", async () => {
  await assert.rejects(readInputs(["/dev/zero"]), /\/dev\/zero is larger than 16 MiB/);
});

test("a file that cannot be read is named with the reason", async () => {
  await assert.rejects(readInputs(["/proc/self/mem"]), /cannot read \/proc\/self\/mem \(EIO\)/);
});

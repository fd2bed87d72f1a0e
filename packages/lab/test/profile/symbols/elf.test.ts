import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { run } from "../../../src/host/command.ts";
import { readElf } from "../../../src/profile/symbols/elf.ts";

const directory = await mkdtemp(join(tmpdir(), "siphon-elf-"));
after(() => rm(directory, { recursive: true, force: true }));

test("node names its own functions", async () => {
  assert.equal((await readElf(process.execPath))?.symbols, true);
});

test("a packaged program is stripped, and its build id is what elfutils says", async () => {
  const elf = await readElf("/usr/bin/fio");
  assert.equal(elf?.symbols, false);
  const { stdout } = await run("eu-readelf", ["--notes", "/usr/bin/fio"]);
  assert.equal(elf.buildId, /Build ID: ([0-9a-f]+)/.exec(stdout)?.[1]);
});

test("a file that is not ELF, or broken, gives no symbols", async () => {
  const text = join(directory, "text");
  await writeFile(text, "#!/bin/sh\n".repeat(20));
  assert.equal(await readElf(text), undefined);
  const cut = join(directory, "cut");
  await writeFile(cut, Buffer.concat([Buffer.from("\x7fELF\x02\x01", "latin1"), Buffer.alloc(58, 0xff)]));
  assert.equal(await readElf(cut), undefined);
  assert.equal(await readElf(join(directory, "missing")), undefined);
});

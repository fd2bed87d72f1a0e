import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readProfile, writeProfile } from "../../src/profile/write.ts";
import { exampleProfile } from "./fixtures.ts";

const directory = await mkdtemp(join(tmpdir(), "siphon-write-"));
after(() => rm(directory, { recursive: true, force: true }));

test("a profile that was written is read again, whole", async () => {
  const profile = exampleProfile({ cutShort: "interrupted" });
  const files = await writeProfile(join(directory, "new"), profile, "secure");
  assert.deepEqual(await readProfile(files.json), profile);
  assert.ok(Object.values(files).every((file) => file.startsWith(join(directory, "new", "secure."))));
  assert.match(await readFile(files.inverse, "utf8"), /^\+ 35\.00% _aesni_ctr32_ghash_6x$/m);
  assert.match(await readFile(files.folded, "utf8"), /^safe_timer;clone3;start_thread;futex_wait 200$/m);
  assert.equal(JSON.parse(await readFile(files.speedscope, "utf8")).profiles.length, 2);
});

test("a file that is not a profile is refused", async () => {
  const file = join(directory, "other.json");
  await writeFile(file, '{"schema": 1}');
  await assert.rejects(readProfile(file), { code: "SIPHON_BAD_FILE" });
  await assert.rejects(readProfile(join(directory, "none.json")), { code: "SIPHON_NOT_FOUND" });
});

test("a directory that cannot be made is one clear error", async () => {
  const file = join(directory, "file");
  await writeFile(file, "");
  await assert.rejects(writeProfile(join(file, "below"), exampleProfile()), /cannot write .*file/);
});

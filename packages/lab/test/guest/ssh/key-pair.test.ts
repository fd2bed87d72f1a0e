import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { keyPair } from "../../../src/guest/ssh/key-pair.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-key-"));
process.env.SIPHON_CACHE_DIR = dir;
after(() => rmSync(dir, { recursive: true }));

test("all who ask at once get one key, which stays and which only its owner may read", async () => {
  const keys = await Promise.all([keyPair(), keyPair(), keyPair()]);
  assert.equal(new Set(keys.map(({ publicKey }) => publicKey)).size, 1);
  const [{ privateKey, publicKey }] = keys;
  assert.match(publicKey, /^ssh-ed25519 \S+ siphon$/);
  assert.equal(statSync(privateKey).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(privateKey)).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(dirname(privateKey)), ["id_ed25519"]);
  assert.deepEqual(await keyPair(), keys[0]);
});

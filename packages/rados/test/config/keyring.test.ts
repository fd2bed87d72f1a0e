import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { parseKeyring } from "../../src/config/keyring.ts";

const text = `[client.admin]
\tkey = AQBexample0key0that0is0no0key000000000==
\tcaps mon = "allow *"
\tcaps osd = "allow rwx pool=a"
[client.other]
\tkey = AQBother==
[client.keyless]
\tcaps mon = "allow r"
`;

test("a keyring gives each user's key and what it may do", () => {
  const keyring = parseKeyring(text, "keyring");
  assert.deepEqual([...keyring.keys()], ["client.admin", "client.other"]);
  const { key, caps } = keyring.get("client.admin")!;
  assert.equal(key.reveal(), "AQBexample0key0that0is0no0key000000000==");
  assert.deepEqual(
    [...caps],
    [
      ["mon", "allow *"],
      ["osd", "allow rwx pool=a"],
    ],
  );
});

test("keys show in no print of a keyring", () => {
  const keyring = parseKeyring(text, "keyring");
  const entry = keyring.get("client.admin")!;
  const prints = [inspect(keyring, { depth: 9, showHidden: true }), JSON.stringify(entry), `${entry.key}`];
  for (const print of prints) assert.doesNotMatch(print, /AQB/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "@siphon/wire";

test("a secret shows itself only to who asks for it", () => {
  using secret = Secret.ofText("hunter2");
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect({ secret })];
  for (const text of shown) {
    assert.doesNotMatch(text, /hunter2/);
    assert.match(text, /\(secret\)/);
  }
  assert.equal(secret.reveal(), "hunter2");
});

test("disposing of a secret wipes the memory that was given to it", () => {
  const bytes = Buffer.from("hunter2");
  {
    using secret = new Secret(bytes);
    assert.equal(secret.bytes, bytes);
  }
  assert.deepEqual(bytes, Buffer.alloc(7));
});

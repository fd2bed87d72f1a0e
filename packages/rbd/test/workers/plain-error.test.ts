import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { EncryptionError } from "../../src/encryption/encryption-error.ts";
import { errnoOf, RbdError } from "../../src/errors.ts";
import { errorOf, plainError } from "../../src/workers/plain-error.ts";

test("an error of another thread has its class, code, errno and advice", () => {
  const errors = [
    new RbdError("SIPHON_RBD_BUSY", "busy", { errno: -116, retryable: true, remedy: { name: "list-locks" } }),
    new EncryptionError("SIPHON_ENCRYPTION_LAYERS", "keys", { hint: "give them" }),
    new RadosError("SIPHON_RADOS_TIMEOUT", "no answer", { retryable: true }),
  ];
  for (const error of errors) {
    const got = errorOf(structuredClone(plainError(error))) as typeof error;
    assert.equal(got.constructor, error.constructor);
    assert.equal(errnoOf(got), errnoOf(error));
    for (const key of ["code", "message", "retryable", "hint", "remedy", "stack"] as const) {
      assert.deepEqual(got[key], error[key]);
    }
  }
  assert.equal(errorOf(plainError(new TypeError("a bug"))).message, "a bug");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { EncryptionError } from "../src/encryption/encryption-error.ts";
import { errnoOf, RbdError, requestFailure } from "../src/errors.ts";

test("an OSD's errno is the error's code, and says whether to ask again", () => {
  const of = (result: number) => requestFailure("cannot write image vm1", result, undefined) as RadosError;
  const told = [-5, -28, -122, -13, -16].map((result) => [of(result).code, of(result).retryable]);
  assert.deepEqual(told, [
    ["EIO", true],
    ["ENOSPC", true],
    ["EDQUOT", true],
    ["EACCES", false],
    ["EBUSY", true],
  ]);
  assert.equal(of(-28).message, "cannot write image vm1 (ENOSPC)");
});

test("what the image itself refuses keeps the image's codes, and what is known already is passed on", () => {
  const codes = [-22, -30, -108].map((result) => (requestFailure("x", result, undefined) as RbdError).code);
  assert.deepEqual(codes, ["SIPHON_RBD_INVALID", "SIPHON_RBD_READ_ONLY", "SIPHON_RBD_FENCED"]);
  const known = new RadosError("SIPHON_RADOS_TIMEOUT", "no answer");
  assert.equal(requestFailure("x", -110, known), known);
});

test("every errno that has a name goes on to other clients", () => {
  const errno = (code: string) => errnoOf(new RadosError(code as "EIO", ""));
  assert.deepEqual(["EIO", "ENOSPC", "EDQUOT", "ENOENT", "ETIMEDOUT"].map(errno), [-5, -28, -122, -2, -110]);
  assert.equal(errnoOf(new RadosError("SIPHON_RADOS_TIMEOUT", "")), -110);
  assert.equal(errnoOf(new RbdError("SIPHON_RBD_LIMIT", "")), -122);
  assert.equal(errnoOf(new EncryptionError("SIPHON_ENCRYPTION_LAYERS", "")), -22);
  assert.equal(errnoOf(new TypeError("a bug")), -5);
});

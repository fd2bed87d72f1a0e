import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "@siphon/lab";
import { RbdError } from "@siphon/rbd";
import { errnoExitCode, explain, Interrupted, rbdExitCode } from "../src/failure.ts";

const interrupted = AbortSignal.abort(new Interrupted("interrupted by SIGINT"));
const left = new LabError("SIPHON_LEFT_BEHIND", "the image p/i could not be removed: it is open", {
  hint: "try again with: siphon clean",
});

test("an interruption explains the failures that it causes", () => {
  assert.equal(
    explain(new LabError("SIPHON_VM", "QEMU ended"), interrupted),
    "siphon: interrupted by SIGINT",
  );
});

test("resources that could not be removed are reported beside the interruption, even behind other failures", () => {
  const both =
    /^siphon: interrupted by SIGINT\nsiphon: the image p\/i could not be removed: it is open\n +try again with: siphon clean$/;
  assert.match(explain(left, interrupted), both);
  assert.match(explain(new SuppressedError(left, new Error("QEMU ended"), ""), interrupted), both);
});

test("the first failure is reported and sets the exit code, whatever fails while unwinding", () => {
  const never = new AbortController().signal;
  const first = new RbdError("SIPHON_RBD_BUSY", "the image is open");
  const both = new SuppressedError(new Error("it cannot be closed"), first, "");
  assert.equal(explain(both, never, true), "siphon: the image is open: (16) Device or resource busy");
  assert.deepEqual([errnoExitCode(both, never), rbdExitCode(both, never)], [16, 16]);
  assert.equal(
    explain(new SuppressedError(left, both, ""), never),
    `siphon: the image is open\n${explain(left)}`,
  );
});

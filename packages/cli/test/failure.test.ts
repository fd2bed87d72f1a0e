import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "@siphon/lab";
import { explain, Interrupted } from "../src/failure.ts";

const interrupted = AbortSignal.abort(new Interrupted("interrupted by SIGINT"));
const left = new LabError("SIPHON_LEFT_BEHIND", "the image p/i could not be removed: it is open", {
  hint: "try again with: siphon clean",
});

test("an interruption explains what fails because of it", () => {
  assert.equal(
    explain(new LabError("SIPHON_VM", "QEMU ended"), interrupted),
    "siphon: interrupted by SIGINT",
  );
});

test("what could not be removed is told beside the interruption, also behind other failures", () => {
  const both =
    /^siphon: interrupted by SIGINT\nsiphon: the image p\/i could not be removed: it is open\n +try again with: siphon clean$/;
  assert.match(explain(left, interrupted), both);
  assert.match(explain(new SuppressedError(left, new Error("QEMU ended"), ""), interrupted), both);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEuStack } from "../../../src/profile/backend/eu-stack.ts";

test("stacks are told apart by thread; a return address is moved into its call", () => {
  const stacks = parseEuStack(`PID 27913 - process
TID 27913:
#0  0x00007ff3ea8ed545    
#1  0x00007ff3ea8f1e53 - 1
TID 27917:
#0  0x00007ff3ea91c9ec    
TID 27918:
`);
  assert.deepEqual(
    [...stacks],
    [
      [27913, ["7ff3ea8ed545", "7ff3ea8f1e52"]],
      [27917, ["7ff3ea91c9ec"]],
    ],
  );
});

test("addresses above what a number holds stay exact", () => {
  const stacks = parseEuStack("TID 1:\n#0  0xffffffffff600001    \n");
  assert.deepEqual(stacks.get(1), ["ffffffffff600001"]);
});

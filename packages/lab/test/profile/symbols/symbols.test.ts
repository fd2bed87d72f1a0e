import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddr2line } from "../../../src/profile/symbols/symbols.ts";

test("functions at an address come outermost first, those without a name are none", () => {
  const names = parseAddr2line(`0x00007f90a3c4ef16
__futex_abstimed_wait_common64 inlined at ./nptl/futex-internal.c:87:9 in __futex_abstimed_wait_common
./nptl/futex-internal.c:57:12
__futex_abstimed_wait_common
./nptl/futex-internal.c:87:9
0x0000556f7f30465d
??
??:0
0x00007f90a3c51baf
ceph::logging::Log::entry()
??:0
`);
  assert.deepEqual(Object.fromEntries(names), {
    "7f90a3c4ef16": ["__futex_abstimed_wait_common", "__futex_abstimed_wait_common64"],
    "556f7f30465d": [],
    "7f90a3c51baf": ["ceph::logging::Log::entry()"],
  });
});

test("a function that is inlined into its own alias is one", () => {
  const names = parseAddr2line(`0x00007f90a3c51baf
wait inlined at wait.c:682:10 in wait@GLIBC_2.30
wait.c:506:4
wait
wait.c:682:10
`);
  assert.deepEqual(names.get("7f90a3c51baf"), ["wait"]);
});

test("nothing asked, nothing answered", () => {
  assert.equal(parseAddr2line("").size, 0);
});

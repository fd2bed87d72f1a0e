import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFrames, parseThreads } from "../../../src/profile/backend/gdb.ts";
import { unquote } from "../../../src/profile/backend/gdb-mi.ts";

test("threads come with the ids that the kernel knows, and whether any still moves", () => {
  const answer =
    'threads=[{id="1",target-id="Thread 0x7ff3e0411c40 (LWP 27913)",name="fio",frame={level="0",addr="0x1"},state="stopped"},' +
    '{id="2",target-id="LWP 27917",name="fio",state="running"}],current-thread-id="1"';
  assert.deepEqual(parseThreads(answer), {
    threads: [
      { id: 1, tid: 27913 },
      { id: 2, tid: 27917 },
    ],
    moving: true,
  });
});

test("frames come innermost first; one that gdb has no name for has none", () => {
  const answer =
    'stack=[frame={level="0",addr="0x00007f39",func="epoll_wait",file="../a.c",line="30",arch="i386:x86-64"},' +
    'frame={level="1",addr="0x00007f3a",func="??",from="/usr/lib/libfoo.so"},' +
    'frame={level="2",addr="0x00007f3b",func="std::map<int, char*>::find(\\"{}\\")",arch="i386:x86-64"}]';
  assert.deepEqual(parseFrames(answer), [
    { address: "7f39", name: "epoll_wait" },
    { address: "7f3a", name: undefined },
    { address: "7f3b", name: 'std::map<int, char*>::find("{}")' },
  ]);
  assert.deepEqual(parseFrames(""), []);
});

test("gdb's strings lose their escapes", () => {
  assert.equal(unquote('say \\"hi\\" \\\\ \\n'), 'say "hi" \\ \n');
});

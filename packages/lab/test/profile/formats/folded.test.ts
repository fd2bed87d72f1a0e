import assert from "node:assert/strict";
import { test } from "node:test";
import { foldedStacks } from "../../../src/profile/formats/folded.ts";
import { exampleProfile } from "../fixtures.ts";

test("each stack is a line: thread, functions from the outermost, samples", () => {
  const lines = foldedStacks(exampleProfile()).split("\n");
  assert.equal(
    lines[0],
    "msgr-worker-0;clone3;start_thread;EventCenter::process_events(unsigned int);epoll_wait 40",
  );
  assert.ok(lines.includes("safe_timer;clone3;start_thread;futex_wait 200"));
});

test("a name cannot break a line or a stack apart", () => {
  const profile = exampleProfile();
  profile.groups[1].stacks[0].frames = ["a;b", "c\nd"];
  assert.ok(foldedStacks(profile).endsWith("safe_timer;a:b;c d 200\n"));
});

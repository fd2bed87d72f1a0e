import assert from "node:assert/strict";
import { test } from "node:test";
import { WriteEpochs } from "../../src/io/write-epochs.ts";

test("who waits is called when the writes begun before are done, and not for later ones", () => {
  const epochs = new WriteEpochs();
  const log: string[] = [];
  const first = epochs.begin();
  const second = epochs.begin();
  epochs.whenDone(() => log.push("a"));
  const third = epochs.begin();
  epochs.whenDone(() => log.push("b"));
  epochs.end(third);
  assert.deepEqual(log, []);
  epochs.end(second);
  assert.deepEqual(log, []);
  epochs.end(first);
  assert.deepEqual(log, ["a", "b"]);
});

test("nobody waits where no write is under way", () => {
  const epochs = new WriteEpochs();
  let called = 0;
  epochs.whenDone(() => called++);
  epochs.end(epochs.begin());
  epochs.whenDone(() => called++);
  assert.equal(called, 2);
});

test("all who wait at the same moment are called", () => {
  const epochs = new WriteEpochs();
  const write = epochs.begin();
  let called = 0;
  epochs.whenDone(() => called++);
  epochs.whenDone(() => called++);
  epochs.end(write);
  assert.equal(called, 2);
});

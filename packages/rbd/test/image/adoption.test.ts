import assert from "node:assert/strict";
import { test } from "node:test";
import { gatherUnowned } from "../../../rados/test/support/unowned.ts";
import { Adoption } from "../../src/image/adoption.ts";

/** Writes of an image that is held back, and a header that can be read, or not. */
function open() {
  const log: string[] = [];
  const state = { pauses: 0, unreadable: 0, final: false, fault: undefined as Error | undefined };
  const io = {
    pauseWrites: async () => void state.pauses++,
    resumeWrites: () => void state.pauses--,
  };
  const closing = new AbortController();
  const adoption = new Adoption(io, {
    read: async (withMap) => {
      log.push(withMap ? "header and map" : "header");
      if (state.fault) throw state.fault;
      if (state.unreadable-- > 0) throw new Error("no answer");
    },
    isFinal: () => state.final || closing.signal.aborted,
    failing: () => void log.push("stale"),
    current: () => void log.push("current"),
    signal: closing.signal,
  });
  return { adoption, state, log, closing };
}

test("writes go on after a change once the header was read, and after one that failed once the map was read as well", async () => {
  const { adoption, state, log } = open();
  await adoption.whilePaused(async () => {
    assert.equal(state.pauses, 1);
  });
  await assert.rejects(
    adoption.whilePaused(() => Promise.reject(new Error("half done"))),
    /half done/,
  );
  await adoption.settled;
  assert.deepEqual([log, state.pauses], [["header", "current", "header and map", "current"], 0]);
});

test("as long as the header cannot be read writes are held back, also when the change has failed for its caller", async () => {
  const { adoption, state, log } = open();
  state.unreadable = 2;
  await assert.rejects(adoption.whilePaused(() => Promise.reject(new Error("half done"))));
  assert.equal(state.pauses, 1);
  await adoption.settled;
  assert.equal(state.pauses, 0);
  const read = "header and map";
  assert.deepEqual(log, [read, "stale", read, read, "current"]);
});

test("a change by somebody else is followed, however long that takes", async () => {
  const { adoption, state, log } = open();
  state.unreadable = 1;
  await adoption.follow();
  assert.deepEqual([log, state.pauses], [["header", "stale", "header", "current"], 0]);
});

test("what is closed is waited for no more", async () => {
  const { adoption, state, closing } = open();
  state.unreadable = Number.POSITIVE_INFINITY;
  const following = adoption.follow();
  closing.abort();
  await assert.rejects(following, /no answer/);
  assert.equal(state.pauses, 0);
});

test("a fault of the program ends the process, also where a change that failed has an error of its own", async () => {
  const { adoption, state } = open();
  state.fault = new TypeError("a bug");
  state.final = true;
  const unowned = await gatherUnowned(async () => {
    await assert.rejects(
      adoption.whilePaused(() => Promise.reject(new Error("half done"))),
      /half done/,
    );
    await adoption.settled;
  });
  assert.deepEqual(unowned, [state.fault]);
});

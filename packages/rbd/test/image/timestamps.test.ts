import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type DueTimes, Timestamps } from "../../src/image/timestamps.ts";

const minute = 60_000;

/** An image that was last read and written so long ago, and what its header is told. */
function open({ age = 2 * minute, read = minute, write = minute, fails = false } = {}) {
  const told: string[] = [];
  const io: DueTimes = { due: { read: 0, write: 0 }, onDue: () => {} };
  const then = new Date(Date.now() - age);
  const timestamps = new Timestamps(io, {
    header: { accessed: then, modified: then },
    intervals: { read, write },
    change: async ({ method }) => {
      told.push(method);
      if (fails) throw new Error("may not");
    },
  });
  /** As I/O does it. */
  const happens = async (what: "read" | "write") => {
    if (performance.now() >= io.due[what]) io.onDue(what);
    await turn();
  };
  return { told, io, timestamps, happens };
}

test("the first read and the first write after an interval are told, and no other one within the next", async () => {
  const { told, io, happens } = open();
  for (const what of ["read", "read", "write", "write", "read"] as const) await happens(what);
  assert.deepEqual(told, ["set_access_timestamp", "set_modify_timestamp"]);
  assert.ok(io.due.write > performance.now() + minute / 2 && io.due.write <= performance.now() + minute);
  io.due.write = 0;
  await happens("write");
  assert.deepEqual(told.slice(2), ["set_modify_timestamp"]);
});

test("what the header says is young enough is left, until the interval is over", async () => {
  const { told, io, happens } = open({ age: minute - 5_000 });
  await happens("write");
  assert.deepEqual(told, []);
  assert.ok(io.due.write <= performance.now() + 5_000);
});

test("an interval of 0 keeps times as they are", async () => {
  const { told, io, happens } = open({ read: 0 });
  for (const what of ["read", "write"] as const) await happens(what);
  assert.deepEqual([told, io.due.read], [["set_modify_timestamp"], Number.POSITIVE_INFINITY]);
});

test("who may not change the header reads on, and tries again only later", async () => {
  const { told, io, timestamps, happens } = open({ fails: true });
  for (const what of ["read", "read"] as const) await happens(what);
  assert.deepEqual(told, ["set_access_timestamp"]);
  assert.ok(io.due.read > performance.now() + minute / 2);
  await timestamps.close();
  assert.equal(io.due.read, Number.POSITIVE_INFINITY);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import { readNotifyAnswers } from "../../src/messages/notify-answers.ts";

test("who answered what, and who did not", () => {
  const w = new Writer().u32(2).u64(1).u64(10).blob(Buffer.from("a")).u64(1).u64(11).blob(Buffer.alloc(0));
  assert.deepEqual(readNotifyAnswers(w.u32(1).u64(2).u64(20).finish()), {
    replies: [
      { client: 1n, cookie: 10n, payload: Buffer.from("a") },
      { client: 1n, cookie: 11n, payload: Buffer.alloc(0) },
    ],
    missed: [{ client: 2n, cookie: 20n }],
  });
  assert.deepEqual(readNotifyAnswers(Buffer.alloc(0)), { replies: [], missed: [] });
});

test("counts that cannot be are refused before memory is taken for them", () => {
  const bytes = new Writer().u32(0x7fff_ffff).u64(1).finish();
  assert.throws(() => readNotifyAnswers(bytes), { code: "SIPHON_WIRE_TRUNCATED" });
});

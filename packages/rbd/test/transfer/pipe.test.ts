import assert from "node:assert/strict";
import { test } from "node:test";
import { streamOf } from "../../src/transfer/pipe.ts";
import { whole } from "../support/diffs.ts";

const part = Buffer.alloc(300 * 1024, "part");

test("all that is written comes out, in order, and then the end", async () => {
  const stream = streamOf(async (sink) => {
    for (let n = 0; n < 50; n++) await sink.write(Buffer.from(`${n} `));
  });
  assert.equal((await whole(stream)).toString(), Array.from({ length: 50 }, (_, n) => `${n} `).join(""));
  assert.equal((await whole(streamOf(async () => {}))).length, 0);
});

test("writing is held up while nobody reads", async () => {
  let written = 0;
  const stream = streamOf(async (sink) => {
    for (; written < 100; written++) await sink.write(part);
  });
  await stream.next();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(written < 20, `${written} parts were written`);
  assert.equal((await whole(stream)).length, 99 * part.length);
});

test("the writer's failure is the reader's, after what was written before", async () => {
  const stream = streamOf(async (sink) => {
    await sink.write(part);
    throw new Error("broken");
  });
  assert.equal((await stream.next()).value?.length, part.length);
  await assert.rejects(stream.next(), /broken/);
});

test("a reader that stops ends the writer", async () => {
  let failure: unknown;
  const stream = streamOf(async (sink) => {
    try {
      for (;;) await sink.write(part);
    } catch (error) {
      failure = error;
      throw error;
    }
  });
  await stream.next();
  await stream.return();
  assert.match(String(failure), /nobody reads/);
});

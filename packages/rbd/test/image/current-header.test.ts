import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { readHeader } from "../../src/header/read-header.ts";
import { CurrentHeader } from "../../src/image/current-header.ts";
import { ImageIo } from "../../src/io/image-io.ts";
import { Settings } from "../../src/settings/settings.ts";
import { HeaderObject } from "../support/header-object.ts";

async function open() {
  const object = new HeaderObject();
  const { cluster, pool } = object.clientOf(4n);
  const header = await readHeader(pool, "a", "a");
  const io = new ImageIo({ objecter: object.osd, state: header });
  const followed: number[] = [];
  const settings = new Settings({ setting: () => undefined }, new Map());
  const current = new CurrentHeader(
    { cluster, pool, io, settings, followed: (before) => followed.push(before) },
    header,
    {},
  );
  object.reads = 0;
  return { object, io, current, followed };
}

test("refreshes that are asked for while the header is being read share one more read, which sees what changed meanwhile", async () => {
  const { object, io, current, followed } = await open();
  const began = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  // The size has been read by then.
  object.lock.before = (what) => {
    if (what !== "get_object_prefix") return;
    began.resolve();
    return held.promise;
  };
  const first = current.refresh();
  await began.promise;
  object.size = 512;
  const others = [current.refresh(), current.refresh(), current.refresh()];
  held.resolve();
  await Promise.all([first, ...others]);
  // Before the first read, and before the second, which alone saw the change.
  assert.deepEqual([followed, io.size, current.value.size], [[256, 256], 512, 512]);
  assert.equal(object.reads, 2);
});

test("one who follows is told the size before, once the I/O goes by the new header", async () => {
  const { object, io, current, followed } = await open();
  object.size = 128;
  await current.refresh();
  assert.deepEqual([followed, io.size], [[256], 128]);
});

test("a header that could not be read stays what it was, and the next one is read", async () => {
  const { object, io, current, followed } = await open();
  object.size = 512;
  object.lock.before = () => {
    throw new RadosError("SIPHON_RADOS_TIMEOUT", "no answer");
  };
  await assert.rejects(current.refresh(), { code: "SIPHON_RADOS_TIMEOUT" });
  assert.deepEqual([io.size, followed], [256, []]);
  object.lock.before = () => {};
  await current.refresh();
  assert.equal(io.size, 512);
});

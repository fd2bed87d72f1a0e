import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@siphon/wire";
import { cursorAt, parseCursor, readCursor, writeCursor } from "../../src/objects/object-cursor.ts";
import { type ListedObject, type ListOptions, ObjectListing } from "../../src/objects/object-listing.ts";
import { objectHash } from "../../src/osdmap/object-hash.ts";
import type { Pool } from "../../src/osdmap/pool.ts";
import { FakeObjecter, opsOf } from "../support/fake-objecter.ts";

const state = { id: 3, objectHash: 2 } as Pool;
const pool = { id: 3, name: "p", namespace: "", state };

/** Answers page by page with the objects behind the cursor asked for, in the order of an OSD. */
async function collect(names: string[], options: ListOptions & { most?: number } = {}): Promise<string[]> {
  const { most = Number.POSITIVE_INFINITY, ...rest } = options;
  const objecter = new FakeObjecter();
  const listing = new ObjectListing(pool, objecter, rest);
  const found: string[] = [];
  const reading = (async () => {
    for await (const { name } of listing) {
      found.push(name);
      if (found.length === most) return listing.cursor;
    }
    return undefined;
  })();
  const sorted = names
    .map((name) => ({ name, position: position(name) }))
    .sort((a, b) => a.position - b.position);
  for (;;) {
    const done = await Promise.race([
      reading.then(() => true),
      new Promise((r) => setImmediate(() => r(false))),
    ]);
    if (done) break;
    if (objecter.requests.length === 0) continue;
    const [op] = opsOf(objecter.requests[0]!);
    const cursor = readCursor(new Reader(op!.input));
    const from = reverse(cursor.hash);
    const behind = sorted.filter(({ position }) => position >= from);
    const page = behind.slice(0, 2);
    const next = behind[2];
    const w = new Writer().versioned(1, 1, (w) => {
      writeCursor(
        w,
        next === undefined ? cursorAt(3, 2 ** 32) : { ...cursorAt(3, next.position), name: next.name },
      );
      w.list(page, (_, { name }) => w.string("").string(name).string(""));
    });
    objecter.answer(next === undefined ? 1 : 0, [{ bytes: w.finish() }]);
  }
  cursors.push((await reading) ?? "");
  return found;
}

const cursors: string[] = [];
const position = (name: string) => reverse(objectHash(state, name));
const reverse = (hash: number) =>
  Number.parseInt([...hash.toString(2).padStart(32, "0")].reverse().join(""), 2);
const names = Array.from({ length: 23 }, (_, i) => `object-${i}`);

test("every object comes once, over as many pages as it takes", async () => {
  assert.deepEqual((await collect(names)).sort(), [...names].sort());
});

test("parts of a pool have nothing in common and leave nothing out", async () => {
  const parts = [];
  for (let index = 0; index < 3; index++) parts.push(await collect(names, { part: { index, of: 3 } }));
  assert.deepEqual(parts.flat().sort(), [...names].sort());
  assert.ok(parts.every((part) => part.length > 0 && part.length < names.length));
});

test("an abandoned listing resumes after the last object returned", async () => {
  const first = await collect(names, { most: 6 });
  const rest = await collect(names, { cursor: cursors.at(-1)! });
  assert.deepEqual([...first, ...rest].sort(), [...names].sort());
});

test("where the OSD has the PG no more, it is asked for again", async () => {
  const objecter = new FakeObjecter();
  const all: ListedObject[] = [];
  const reading = (async () => {
    for await (const object of new ObjectListing(pool, objecter)) all.push(object);
  })();
  const asked = async () => {
    while (objecter.requests.length === 0) await new Promise((r) => setImmediate(r));
  };
  await asked();
  objecter.answer(0, [{}]);
  await asked();
  const w = new Writer().versioned(1, 1, (w) => writeCursor(w, cursorAt(3, 2 ** 32)).u32(0));
  objecter.answer(1, [{ bytes: w.finish() }]);
  await reading;
  assert.deepEqual(all, []);
});

test("a page that leads nowhere is refused, so that no listing goes on for ever", async () => {
  const objecter = new FakeObjecter();
  const next = new ObjectListing(pool, objecter)[Symbol.asyncIterator]().next();
  while (objecter.requests.length === 0) await new Promise((r) => setImmediate(r));
  objecter.answer(0, [
    { bytes: new Writer().versioned(1, 1, (w) => writeCursor(w, cursorAt(3, 0)).u32(0)).finish() },
  ]);
  await assert.rejects(next, { code: "SIPHON_RADOS_PROTOCOL" });
});

test("a cursor is text that survives, and other text is refused", () => {
  const cursor = { poolId: 3, hash: 0x89abcdef, namespace: "n", key: "k", name: "größe", isMax: false };
  const bytes = writeCursor(new Writer(), cursor).finish();
  assert.deepEqual(readCursor(new Reader(bytes)), cursor);
  assert.throws(() => parseCursor("abc"), { name: "WireError" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { opCode } from "@siphon/rados/engine";
import fc from "fast-check";
import { RbdError } from "../../src/errors.ts";
import { ImageIo, type ImageIoOptions } from "../../src/io/image-io.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";

function open(options: Partial<ImageIoOptions> = {}) {
  const osd = new MemoryOsd();
  const io = new ImageIo({
    objecter: osd,
    state: imageState(),
    tuning: { discardGranularity: 0 },
    ...options,
  });
  return { osd, io, image: new Requests(io) };
}

/** A clone, striped, of a striped image with other stripes, of an image: each with data of its own. */
function openClones(shape: { stripeUnit: number; stripeCount: number }, overlap: number) {
  const { osd, io: oldest } = open();
  const grandparent = new Requests(oldest);
  const link = { poolId: 1, namespace: "", imageId: "a", snapId: 1, overlap: 200 };
  const parentState = imageState({ id: "b", stripeUnit: 16, stripeCount: 3, parent: link });
  const parent = new ImageIo({ objecter: osd, state: parentState });
  parent.parent = oldest;
  const state = imageState({ id: "c", ...shape, size: 300, parent: { ...link, imageId: "b", overlap } });
  const io = new ImageIo({ objecter: osd, state, tuning: { discardGranularity: 0 } });
  io.parent = parent;
  return { osd, io, grandparent, parent: new Requests(parent), image: new Requests(io) };
}

const pattern = (length: number, start = 1) =>
  Buffer.from(Array.from({ length }, (_, i) => (start + i) & 255));

test("what was not written is zeros, up to the end of the image and no further", async () => {
  const { image } = open();
  await image.write(60, pattern(10));
  assert.deepEqual(await image.read(56, 20), Buffer.concat([Buffer.alloc(4), pattern(10), Buffer.alloc(6)]));
  assert.deepEqual(await image.read(250, 20), Buffer.concat([Buffer.alloc(6), Buffer.alloc(14, 0xee)]));
  await assert.rejects(image.read(256, 1), /-22/);
});

test("a request is never completed within the call that starts it", async () => {
  const { io } = open();
  let completed = false;
  let within = true;
  await new Promise<void>((resolve) => {
    io.discard(
      Object.assign(Object.create({ fill() {}, take() {}, takeZeros() {} }), {
        ...{ offset: 999, length: 1, result: 0 },
        completed() {
          completed = true;
          within = calling;
          resolve();
        },
      }),
    );
    calling = false;
  });
  assert.ok(completed);
  assert.equal(within, false);
});
let calling = true;

test("whole objects are replaced and removed as a whole", async () => {
  const { osd, image } = open();
  await image.write(64, pattern(64));
  assert.deepEqual(osd.log[0]?.codes, [opCode.setAllocHint, opCode.writeFull]);
  await image.discard(0, 128);
  assert.deepEqual(osd.objects.size, 0);
});

test("discards leave what does not fill a unit of the granularity", async () => {
  const { image } = open({ tuning: { discardGranularity: 16 } });
  await image.write(0, pattern(128));
  await image.discard(10, 30);
  const expected = pattern(128);
  expected.fill(0, 16, 32);
  assert.deepEqual(await image.read(0, 128), expected);
});

test("a comparison tells where the image differs", async () => {
  const { image } = open();
  await image.write(64, pattern(32));
  assert.deepEqual(await image.compareAndWrite(70, pattern(5, 8), pattern(5)), {
    result: -84,
    mismatchOffset: 70,
  });
  const expected = pattern(5, 7);
  expected[3] = 0;
  assert.deepEqual(await image.compareAndWrite(70, expected, pattern(5)), {
    result: -84,
    mismatchOffset: 73,
  });
  assert.equal((await image.compareAndWrite(70, pattern(5, 7), pattern(5, 99))).result, 0);
  assert.deepEqual(await image.read(70, 5), pattern(5, 99));
  assert.equal((await image.compareAndWrite(60, pattern(8), pattern(8))).result, -22, "across objects");
});

test("whatever is done to a clone of a clone, striped or not, every byte is that of a model", async () => {
  const action = fc.record({
    kind: fc.constantFrom("write", "discard", "zeroes", "same", "compare", "parent"),
    offset: fc.nat(299),
    length: fc.integer({ min: 1, max: 160 }),
    fill: fc.integer({ min: 1, max: 255 }),
  });
  const shapes = fc.constantFrom(
    { stripeUnit: 64, stripeCount: 1 },
    { stripeUnit: 16, stripeCount: 3 },
    { stripeUnit: 32, stripeCount: 2 },
  );
  const run = async (
    shape: { stripeUnit: number; stripeCount: number },
    overlap: number,
    actions: (typeof action extends fc.Arbitrary<infer A> ? A : never)[],
  ) => {
    const { image, parent, grandparent } = openClones(shape, overlap);
    await grandparent.write(30, pattern(150));
    await parent.write(100, pattern(50, 77));
    const model = Buffer.alloc(300);
    (await parent.read(0, overlap)).copy(model);
    const writes: Promise<unknown>[] = [];
    for (const { kind, offset, length: wanted, fill } of actions) {
      const length = Math.min(wanted, 300 - offset);
      const bytes = pattern(length, fill);
      if (kind === "write") {
        writes.push(image.write(offset, bytes));
        bytes.copy(model, offset);
      } else if (kind === "same") {
        const whole = length - (length % 4);
        if (whole === 0) continue;
        writes.push(image.writeSame(offset, whole, bytes.subarray(0, 4)));
        model.fill(bytes.subarray(0, 4), offset, offset + whole);
      } else if (kind === "discard" || kind === "zeroes") {
        writes.push(kind === "discard" ? image.discard(offset, length) : image.writeZeroes(offset, length));
        model.fill(0, offset, offset + length);
      } else if (kind === "compare") {
        await Promise.all(writes);
        const start = offset - (offset % 16);
        const expected = Buffer.from(model.subarray(start, start + 4));
        assert.equal((await image.compareAndWrite(start, expected, pattern(4, fill))).result, 0);
        pattern(4, fill).copy(model, start);
      } else {
        await Promise.all(writes);
        assert.deepEqual(await image.read(0, 300), model);
      }
    }
    await image.flush();
    assert.deepEqual(await image.read(0, 300), model);
  };
  await fc.assert(
    fc.asyncProperty(shapes, fc.constantFrom(0, 40, 200, 256), fc.array(action, { maxLength: 12 }), run),
    { numRuns: 150 },
  );
});

test("writes to an object that is being copied up happen in the order in which they came", async () => {
  const { osd, image, grandparent } = openClones({ stripeUnit: 64, stripeCount: 1 }, 256);
  await grandparent.write(0, pattern(200));
  await Promise.all([1, 2, 3].map((n) => image.write(10, Buffer.alloc(20, n))));
  assert.deepEqual(
    await image.read(9, 22),
    Buffer.concat([pattern(1, 10), Buffer.alloc(20, 3), pattern(1, 31)]),
  );
  const copyUps = osd.log.filter(({ codes }) => codes.includes(opCode.call));
  assert.equal(copyUps.length, 1);
});

test("a flush is done after the writes before it, and not before", async () => {
  const { osd, image } = open();
  osd.held = [];
  const log: string[] = [];
  const write = image.write(0, pattern(9)).then(() => log.push("write"));
  const flush = image.flush().then(() => log.push("flush"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(log, []);
  osd.answer();
  await Promise.all([write, flush]);
  assert.deepEqual(log, ["write", "flush"]);
});

test("the lock is asked for once, before the first write; writes go out when it is there", async () => {
  const lock = Promise.withResolvers<void>();
  let asked = 0;
  const { osd, image, io } = open({
    ensureOwner: () => {
      asked++;
      return lock.promise;
    },
  });
  assert.deepEqual(await image.read(0, 4), Buffer.alloc(4));
  assert.equal(asked, 0, "a read needs no lock");
  const writes = [image.write(0, pattern(1)), image.write(1, pattern(1))];
  assert.equal(osd.log.length, 1);
  lock.resolve();
  assert.deepEqual(await Promise.all(writes), [0, 0]);
  assert.equal(asked, 1);
  io.setOwner(false);
  assert.equal(await image.write(0, pattern(1)), 0);
  assert.equal(asked, 2);
});

test("if the lock cannot be had, the writes that wait for it fail, with its error", async () => {
  let refuse = true;
  const { image } = open({
    ensureOwner: async () => {
      if (refuse) throw new RbdError("SIPHON_RBD_LOCKED", "held by another");
    },
  });
  assert.equal(await image.write(0, pattern(1)), -30);
  refuse = false;
  assert.equal(await image.write(0, pattern(1)), 0);
});

test("a pause waits for the writes under way, and holds back those that come", async () => {
  const { osd, image, io } = open();
  osd.held = [];
  const before = image.write(0, pattern(1));
  let paused = false;
  const pause = io.pauseWrites().then(() => {
    paused = true;
  });
  const after = image.write(64, pattern(1));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(paused, false);
  osd.answer();
  await Promise.all([before, pause]);
  assert.equal(osd.log.length, 1);
  await io.resumeWrites();
  assert.equal(await after, 0);
});

test("once writes are to fail, none is acknowledged, whatever the cluster answers", async () => {
  const { osd, image, io } = open();
  osd.held = [];
  const write = image.write(0, pattern(1));
  io.failWrites(new Error("on the blocklist"));
  osd.answer();
  assert.equal(await write, -108);
  assert.equal(await image.write(0, pattern(1)), -108);
  assert.equal(await image.flush(), -108);
  assert.equal(osd.log.length, 1);
});

test("a write that fails for one object fails as a whole", async () => {
  const { osd, image } = open();
  osd.fault = (name) => (name.endsWith("1") ? -28 : undefined);
  assert.equal(await image.write(0, pattern(200)), -28);
  assert.equal(await image.write(0, pattern(60)), 0);
});

test("an image opened read-only is not written to", async () => {
  const { osd, image } = open({ readOnly: true });
  assert.equal(await image.write(0, pattern(1)), -30);
  assert.equal(osd.log.length, 0);
});

test("no more is under way than the limits say, and all of it gets its turn", async () => {
  const { osd, image } = open({ limits: { requests: 2, bytes: 100 } });
  osd.held = [];
  const writes = [image.write(0, pattern(50)), image.write(64, pattern(50)), image.write(0, pattern(5))];
  assert.equal(osd.log.length, 2);
  osd.answer();
  await Promise.all(writes);
  assert.equal(osd.log.length, 3);
  assert.equal(await image.write(0, pattern(200)), 0, "one that is larger than the limit goes alone");
});

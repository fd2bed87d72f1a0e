import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CachePolicy, ImageCache } from "../../src/cache/image-cache.ts";
import { ImageIo, type ImageIoOptions } from "../../src/io/image-io.ts";
import { BufferRequest } from "../../src/io/promise-request.ts";
import { imageState } from "../support/image-states.ts";
import { MemoryOsd } from "../support/memory-osd.ts";
import { Requests } from "../support/requests.ts";

const objectSize = 16_384;
const size = 50_000;
const state = imageState({ objectSize, stripeUnit: objectSize, size });

function open(policy: CachePolicy, options: Partial<ImageIoOptions> = {}, maxDirty?: number) {
  const osd = new MemoryOsd();
  const io = new ImageIo({ objecter: osd, state, tuning: { discardGranularity: 0 }, ...options });
  const cache = new ImageCache(io, { policy, size: 5 * 4096, maxDirty });
  return {
    osd,
    io,
    cache,
    image: new Requests(cache),
    bare: new Requests(io),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const policy of ["writethrough", "writeback"] as const) {
  test(`${policy}: what was read is read again without the cluster, until it is written to`, async () => {
    const { osd, image } = open(policy);
    await image.write(4000, Buffer.alloc(300, 7));
    await image.flush();
    const before = osd.log.length;
    const expected = Buffer.concat([Buffer.alloc(96, 0), Buffer.alloc(300, 7)]);
    assert.deepEqual(await image.read(3904, 396), expected);
    assert.deepEqual(await image.read(3904, 396), expected);
    assert.equal(osd.log.length, before + 1);
    await image.write(4001, Buffer.alloc(1, 9));
    expected[97] = 9;
    assert.deepEqual(await image.read(3904, 396), expected);
  });
}

test("a cache that waits for the first flush acknowledges no write before it lasts until then", async () => {
  const osd = new MemoryOsd();
  const io = new ImageIo({ objecter: osd, state });
  const image = new Requests(new ImageCache(io, { policy: "writeback", writethroughUntilFlush: true }));
  const isEarly = async () => {
    osd.held = [];
    const written = image.write(0, Buffer.alloc(512, 1)).then(() => true);
    const early = await Promise.race([
      written,
      turn()
        .then(turn)
        .then(() => false),
    ]);
    osd.answer();
    await written;
    return early;
  };
  assert.equal(await isEarly(), false);
  await image.flush();
  assert.equal(await isEarly(), true);
});

test("writeback: what was written is read without the cluster, also before it lasts", async () => {
  const { osd, image } = open("writeback");
  osd.held = [];
  const page = Buffer.alloc(4096, 1);
  await image.write(4096, page);
  const sent = osd.held.length;
  assert.deepEqual(await image.read(4096, 4096), page);
  // A part of a page that is known.
  await image.write(4100, Buffer.alloc(10, 2));
  page.fill(2, 4, 14);
  assert.deepEqual(await image.read(4096, 4096), page);
  assert.equal(osd.held.length, sent + 1, "a write, and no read");
  osd.answer();
  await image.flush();
  assert.deepEqual(await image.read(4096, 4096), page);
});

test("writeback: what could not be written is not read as if it had been", async () => {
  const { osd, image } = open("writeback");
  osd.fault = () => -28;
  await image.write(0, Buffer.alloc(4096, 1));
  assert.equal(await image.flush(), -28);
  osd.fault = () => undefined;
  assert.deepEqual(await image.read(0, 4096), Buffer.alloc(4096));
});

test("writethrough: a write is acknowledged when it lasts", async () => {
  const { osd, image } = open("writethrough");
  osd.held = [];
  let done = false;
  const write = image.write(0, Buffer.alloc(9)).then(() => {
    done = true;
  });
  await turn();
  await turn();
  assert.equal(done, false);
  osd.answer();
  await write;
});

for (const policy of ["writearound", "writeback"] as const) {
  test(`${policy}: writes are acknowledged at once, a flush when they last; reads see them`, async () => {
    const { osd, image } = open(policy);
    osd.held = [];
    assert.equal(await image.write(0, Buffer.alloc(9, 1)), 0);
    let flushed = false;
    const flush = image.flush().then((result) => {
      flushed = true;
      return result;
    });
    const read = image.read(0, 10);
    await turn();
    await turn();
    assert.equal(flushed, false);
    osd.answer();
    assert.equal(await flush, 0);
    assert.deepEqual(await read, Buffer.concat([Buffer.alloc(9, 1), Buffer.alloc(1)]));
  });

  test(`${policy}: no more than the limit is acknowledged early`, async () => {
    const { osd, image } = open(policy, {}, 100);
    osd.held = [];
    assert.equal(await image.write(0, Buffer.alloc(80)), 0);
    let done = false;
    const write = image.write(100, Buffer.alloc(80)).then(() => {
      done = true;
    });
    await turn();
    await turn();
    assert.equal(done, false);
    osd.answer();
    await write;
  });

  test(`${policy}: a failure of what was acknowledged is told by the next flush, once`, async () => {
    const { osd, image } = open(policy);
    osd.fault = () => -28;
    assert.equal(await image.write(0, Buffer.alloc(9)), 0);
    assert.equal(await image.flush(), -28);
    assert.equal(await image.flush(), 0);
  });

  test(`${policy}: nothing is acknowledged any more once this client is on the blocklist`, async () => {
    const { osd, image } = open(policy);
    osd.fault = () => -108;
    assert.equal(await image.write(0, Buffer.alloc(9)), 0);
    assert.equal(await image.flush(), -108);
    assert.equal(await image.write(0, Buffer.alloc(9)), -108);
  });

  test(`${policy}: nothing is acknowledged early while the lock is not ours`, async () => {
    const lock = Promise.withResolvers<void>();
    const { image } = open(policy, { ensureOwner: () => lock.promise });
    let done = false;
    const write = image.write(0, Buffer.alloc(9)).then(() => {
      done = true;
    });
    await turn();
    await turn();
    assert.equal(done, false);
    lock.resolve();
    await write;
  });
}

test("writeback: a failure of what was acknowledged is told to every client that has written, once each", async () => {
  const { osd, cache } = open("writeback");
  const [one, two, reader] = [{}, {}, {}];
  const settled = (request: BufferRequest, start: (request: BufferRequest) => void) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    request.completed = () => resolve(request.result);
    start(request);
    return promise;
  };
  const nobody = { resolve: () => {}, reject: () => {} };
  const write = (client: object, offset: number) => {
    const request = new BufferRequest(offset, 1, Buffer.alloc(1, 7), nobody);
    request.client = client;
    return settled(request, (each) => cache.write(each));
  };
  const flush = (client: object) => {
    const request = new BufferRequest(0, 0, new Uint8Array(), nobody);
    request.client = client;
    return settled(request, (each) => cache.flush(each));
  };
  assert.equal(await write(one, 0), 0);
  assert.equal(await flush(one), 0);
  assert.equal(await write(two, 1), 0);
  osd.fault = () => -28;
  assert.equal(await write(one, 2), 0);
  const told = [await flush(one), await flush(one), await flush(two), await flush(two), await flush(reader)];
  assert.deepEqual(told, [-28, 0, -28, 0, 0]);
});

test("what was read is forgotten when the header is new, and when the lock is given away", async () => {
  const { osd, io, image } = open("writethrough", { ensureOwner: async () => {} });
  await image.write(0, Buffer.alloc(4096, 1));
  const change = (fill: number) => osd.objects.set("rbd_data.a.0000000000000000", Buffer.alloc(4096, fill));
  assert.equal((await image.read(0, 1))[0], 1);
  change(2);
  assert.equal((await image.read(0, 1))[0], 1);
  io.state = { ...state };
  assert.equal((await image.read(0, 1))[0], 2);
  io.setOwner(false);
  change(3);
  assert.equal((await image.read(0, 1))[0], 3);
  change(4);
  assert.equal((await image.read(0, 1))[0], 4, "nothing is kept while another may write");
});

test("whatever is read and written at the same time, each read sees what was acknowledged before it", async () => {
  const action = fc.record({
    kind: fc.constantFrom("write", "write", "discard", "read", "read", "flush"),
    offset: fc.nat(size - 1),
    length: fc.integer({ min: 1, max: 12_000 }),
    fill: fc.integer({ min: 1, max: 255 }),
    waits: fc.boolean(),
  });
  const policies = fc.constantFrom<CachePolicy>("writethrough", "writearound", "writeback");
  await fc.assert(
    fc.asyncProperty(policies, fc.array(action, { maxLength: 30 }), async (policy, actions) => {
      const { image, bare } = open(policy);
      const model = Buffer.alloc(size);
      let pending: Promise<unknown>[] = [];
      for (const { kind, offset, length: wanted, fill, waits } of actions) {
        const length = Math.min(wanted, size - offset);
        if (kind === "read") {
          await Promise.all(pending);
          pending = [];
          assert.deepEqual(
            await image.read(offset, length),
            Buffer.from(model.subarray(offset, offset + length)),
          );
          continue;
        }
        if (kind === "write") pending.push(image.write(offset, Buffer.alloc(length, fill)));
        else if (kind === "discard") pending.push(image.discard(offset, length));
        else pending.push(image.flush());
        if (kind !== "flush") model.fill(kind === "write" ? fill : 0, offset, offset + length);
        // A read that may see either, and must leave nothing stale behind.
        if (!waits) pending.push(image.read(offset, length));
      }
      await Promise.all(pending);
      assert.deepEqual(await image.read(0, size), model);
      await image.flush();
      assert.deepEqual(await bare.read(0, size), model);
    }),
    { numRuns: 100 },
  );
});

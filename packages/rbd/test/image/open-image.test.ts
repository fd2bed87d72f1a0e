import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RadosError } from "@siphon/rados";
import { OpenImage } from "../../src/image/open-image.ts";
import { encodeNotifyMessage } from "../../src/watch/notify-message.ts";
import { HeaderObject } from "../support/header-object.ts";
import { Requests } from "../support/requests.ts";

const [ours, theirs] = [4n, 5n];
const block = Buffer.alloc(64, 1);
const headerUpdate = encodeNotifyMessage({ type: "headerUpdate" });

async function open(t: TestContext, object: HeaderObject, client = ours): Promise<OpenImage> {
  const { cluster, pool } = object.clientOf(client);
  const image = await OpenImage.open(cluster, pool, "a", "a", {});
  t.after(() => image.close());
  return image;
}

const write = ({ io }: OpenImage, offset = 0) => new Requests(io).write(offset, block);

/** Holds back what is asked of the header by these methods, until it is released. */
function hold(object: HeaderObject, ...methods: string[]): { begun: Promise<void>; release(): void } {
  const begun = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  object.lock.before = (what) => {
    if (!methods.includes(what)) return;
    begun.resolve();
    return held.promise;
  };
  return { begun: begun.promise, release: held.resolve };
}

/** All that can go on has gone on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a change between the first look at the header and the watch is seen", async (t) => {
  const object = new HeaderObject();
  object.lock.before = (what) => {
    if (what === "watch") object.size = 512;
  };
  assert.equal((await open(t, object)).io.size, 512);
});

test("the first write takes the lock, under the watch's name, and begins once the header was read after that", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  const log: string[] = [];
  object.lock.before = (what) => void (object.osd.log.length === 0 && log.push(what));
  assert.equal(await write(image), 0);
  assert.ok(log.lastIndexOf("get_size") > log.indexOf("lock"), log.join(" "));
  assert.deepEqual(object.lock.owner, { client: ours, cookie: `auto ${await image.watchCookie()}` });
  assert.equal(object.osd.log.length, 1);
});

test("two clients write by turns: whoever has the lock gives it to the other, and nobody is fenced", async (t) => {
  const object = new HeaderObject();
  const [one, other] = [await open(t, object), await open(t, object, theirs)];
  for (const [image, client] of [
    [one, ours],
    [other, theirs],
    [one, ours],
  ] as const) {
    assert.equal(await write(image), 0);
    assert.equal(object.lock.owner?.client, client);
  }
  assert.deepEqual(object.lock.blocklist, []);
});

test("writes that come after another client's change begin once the header was read", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  await write(image);
  const reading = hold(object, "get_size");
  object.size = 128;
  const told = object.clientOf(theirs).pool.notify("rbd_header.a", headerUpdate);
  await reading.begun;
  const written = write(image, 64);
  await quiet();
  assert.equal(object.osd.log.length, 1);
  reading.release();
  await told;
  assert.equal(await written, 0);
  assert.equal(image.io.size, 128);
});

test("without a watch writes wait until there is one, and the lock is named after it", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  await write(image);
  const before = object.lock.owner!.cookie;
  const watching = hold(object, "watch");
  object.loseWatch(ours);
  await watching.begun;
  const written = write(image, 64);
  await quiet();
  assert.deepEqual([image.writeHold, object.osd.log.length], ["watch", 1]);
  watching.release();
  assert.equal(await written, 0);
  assert.equal(image.writeHold, undefined);
  assert.equal(object.lock.owner!.cookie, `auto ${await image.watchCookie()}`);
  assert.notEqual(object.lock.owner!.cookie, before);
});

test("the owner does what another client asks for; both follow the header, and who listens hears of it", async (t) => {
  const object = new HeaderObject();
  const [owner, other] = [await open(t, object), await open(t, object, theirs)];
  await write(owner);
  const sizes: number[] = [];
  owner.onResize((size) => sizes.push(size));
  const id = await other.requests.newId();
  await other.requests.perform({ type: "resize", id, size: 512, allowShrink: false });
  assert.deepEqual([object.size, owner.io.size, other.io.size, sizes], [512, 512, 512, [512]]);
  assert.equal(object.lock.owner?.client, ours);
});

test("a task is done by who asked for it, if the owner is gone before it could", async (t) => {
  const object = new HeaderObject();
  const [owner, other] = [await open(t, object), await open(t, object, theirs)];
  await write(owner);
  const changing = hold(object, "set_size");
  const id = await other.requests.newId();
  const done = other.requests.perform({ type: "resize", id, size: 512, allowShrink: false });
  await changing.begun;
  object.lock.before = () => {};
  object.lock.owner = undefined;
  const client = { gid: ours, handle: await owner.watchCookie() };
  await object
    .clientOf(theirs)
    .pool.notify("rbd_header.a", encodeNotifyMessage({ type: "releasedLock", client }));
  await done;
  const { owner: now } = object.lock as { owner: { client: bigint } | undefined };
  assert.deepEqual([object.size, now?.client], [512, theirs]);
  changing.release();
});

test("an image that is removed while it is open fails its writes, and says why", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  await write(image);
  object.lock.before = (what) => {
    if (what === "get_size") throw new RadosError("ENOENT", "no such object");
  };
  await object
    .clientOf(theirs)
    .pool.notify("rbd_header.a", headerUpdate)
    .catch(() => {});
  assert.ok((await write(image)) < 0);
  assert.throws(() => image.assertOpen(), { code: "SIPHON_RBD_NO_IMAGE" });
});

test("an image that cannot be opened says why, also where it cannot be closed either", async () => {
  const object = new HeaderObject();
  const { cluster, pool } = object.clientOf(ours);
  const failures = [new RadosError("ENOSPC", "no space"), new RadosError("EIO", "nothing works any more")];
  object.lock.before = (what) => {
    if (what === "lock" || failures.length === 1) throw failures.length > 1 ? failures.shift() : failures[0];
  };
  await assert.rejects(OpenImage.open(cluster, pool, "a", "a", { exclusive: true }), { code: "ENOSPC" });
});

test("an image can be closed while a change of its header cannot be read", async () => {
  const object = new HeaderObject();
  const { cluster, pool } = object.clientOf(ours);
  const image = await OpenImage.open(cluster, pool, "a", "a", {});
  const failed = Promise.withResolvers<void>();
  object.lock.before = (what) => {
    if (what !== "get_size") return;
    failed.resolve();
    throw new RadosError("SIPHON_RADOS_TIMEOUT", "no answer", { retryable: true });
  };
  const told = object.clientOf(theirs).pool.notify("rbd_header.a", headerUpdate);
  await failed.promise;
  await Promise.all([image.close(), told]);
});

test("writes that fail for good do not wait for the watch that was lost before", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  const holds: (string | undefined)[] = [];
  object.lock.before = (what) => {
    if (what !== "watch") return;
    holds.push(image.writeHold);
    throw new RadosError("ENOENT", "no such object");
  };
  object.loseWatch(ours);
  while (image.writeHold !== undefined) await quiet();
  assert.deepEqual(holds, ["watch"]);
  assert.ok((await write(image)) < 0);
});

test("closing waits for the writes under way, and gives the lock and then the watch back", async (t) => {
  const object = new HeaderObject();
  const image = await open(t, object);
  await write(image);
  object.osd.held = [];
  const written = write(image, 64);
  await quiet();
  const closed = image.close();
  await quiet();
  assert.equal(object.lock.owner?.client, ours);
  const watchers: number[] = [];
  object.lock.before = (what) => void (what === "unlock" && watchers.push(object.lock.watchers.size));
  object.osd.answer();
  assert.equal(await written, 0);
  await closed;
  assert.deepEqual([object.lock.owner, watchers, object.lock.watchers.size], [undefined, [1], 0]);
});

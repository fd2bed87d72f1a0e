import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageHeader } from "../../src/header/image-header.ts";
import { Ownership } from "../../src/image/ownership.ts";
import { imageFeature } from "../../src/image-state.ts";
import { LockObject } from "../support/lock-pool.ts";

const client = 4n;

/** An image whose lock is real, on an object in memory, and whose other parts only tell when they are used. */
function open({ readOnly = false } = {}) {
  const object = new LockObject();
  object.watchers.set(client, 1n);
  const { cluster, pool } = object.hostOf(client);
  const log: string[] = [];
  const events = { refresh: async () => {}, askOwner: async (): Promise<number | undefined> => undefined };
  const header = {
    ...{ id: "a", name: "a", features: imageFeature.exclusiveLock as number },
    incompatible: { toRead: 0, toWrite: 0 },
  };
  const io = {
    objectMap: undefined as unknown,
    useMap: (map: unknown) => {
      io.objectMap = map;
    },
    pauseWrites: async () => void log.push("pause"),
    resumeWrites: () => void log.push(`resume, the lock is ${object.owner === undefined ? "free" : "ours"}`),
    setOwner: (owned: boolean) => void log.push(`owner ${owned}`),
  };
  const ownership = new Ownership({
    ...{ cluster, pool, readOnly, keepsLock: false, waitsForLock: false, io },
    map: { open: async () => void log.push("map open"), close: async () => void log.push("map close") },
    header: () => header as unknown as ImageHeader,
    watchCookie: async () => object.watchers.get(client)!,
    askOwner: () => events.askOwner(),
    tell: async ({ type }) => void log.push(`tell ${type}`),
    refresh: async () => {
      log.push("refresh");
      await events.refresh();
    },
    settled: async () => void log.push("settled"),
    hasEnded: () => false,
    waiting: () => {},
    fenced: () => void log.push("fenced"),
  });
  log.length = 0;
  return { ownership, object, header, io, log, events };
}

const before = (log: readonly string[], ...steps: string[]) => {
  const at = steps.map((step) => log.findIndex((line) => line.startsWith(step)));
  assert.ok(!at.includes(-1) && at.every((place, i) => i === 0 || place > at[i - 1]!), log.join(", "));
};

test("writes begin once the lock is ours, the header was read and the map is loaded", async () => {
  const { ownership, object, log } = open();
  await ownership.lock!.acquire();
  assert.equal(object.owner?.client, client);
  before(log, "refresh", "map open", "owner true");
});

test("writes do not begin with a lock that is lost while the image is read", async () => {
  const { ownership, object, log, events } = open();
  events.refresh = async () => {
    events.refresh = async () => {};
    object.owner = { client: 9n, cookie: "auto 8" };
    object.watchers.set(9n, 8n).set(client, 2n);
    await ownership.lock!.renew();
  };
  events.askOwner = async () => {
    log.push("asked");
    object.owner = undefined;
    // As if the news had come before the answer.
    setImmediate(() => ownership.lock!.wake());
    return 0;
  };
  await ownership.lock!.acquire();
  before(log, "owner false", "asked", "owner true");
  assert.equal(log.filter((line) => line === "owner true").length, 1);
  assert.equal(log.filter((line) => line === "refresh").length, 2);
});

test("writes end, and the map is closed, before the lock is given away; they go on after that", async () => {
  const { ownership, object, log } = open();
  await ownership.lock!.acquire();
  log.length = 0;
  object.before = (what) => void (what === "unlock" && log.push("unlock"));
  await ownership.lock!.release();
  before(log, "pause", "settled", "owner false", "map close", "unlock", "resume, the lock is free");
});

test("a lock that is lost without being given away resumes no writes that others hold back", () => {
  const { ownership, log } = open();
  ownership.released();
  assert.deepEqual(log, ["owner false"]);
});

test("the lock comes and goes with the feature; without it nobody owns the image, and no map is used", () => {
  const { ownership, header, io, log } = open();
  const first = ownership.lock;
  ownership.follow();
  assert.equal(ownership.lock, first);
  header.features = 0;
  Object.assign(io, { objectMap: {} });
  ownership.follow();
  assert.deepEqual([ownership.lock, io.objectMap, log], [undefined, undefined, ["owner false"]]);
  header.features = imageFeature.exclusiveLock;
  ownership.follow();
  assert.ok(ownership.lock !== undefined && ownership.lock !== first);
});

for (const when of ["before it is free", "while it is taken"]) {
  test(`who waits for the lock of an image that loses it ${when} goes on, and leaves no lock behind`, async () => {
    const { ownership, object, header, log, events } = open();
    object.owner = { client: 9n, cookie: "auto 8" };
    object.watchers.set(9n, 8n);
    const lock = ownership.lock!;
    const loses = () => {
      header.features = 0;
      ownership.follow();
    };
    const asked = Promise.withResolvers<void>();
    events.askOwner = async () => {
      asked.resolve();
      return 0;
    };
    const acquired = lock.acquire();
    await asked.promise;
    object.owner = undefined;
    if (when === "while it is taken") {
      events.refresh = async () => loses();
      lock.wake();
    } else loses();
    await acquired;
    assert.deepEqual(
      [ownership.lock, object.owner, log.includes("owner true")],
      [undefined, undefined, false],
    );
  });
}

test("an image that is only read has no lock", () => {
  assert.equal(open({ readOnly: true }).ownership.lock, undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { RadosError } from "@siphon/rados";
import { changeAll } from "../../src/cls/run.ts";
import { ExclusiveLock } from "../../src/lock/exclusive-lock.ts";
import { LockObject } from "../support/lock-pool.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function open(client = 4n) {
  const object = new LockObject();
  object.watchers.set(client, 1n);
  const host = object.hostOf(client);
  return { object, host, lock: new ExclusiveLock(host) };
}

test("the lock follows the watch to another cookie while something long is done with it, and guards by its new name", async () => {
  const { object, host, lock } = open();
  const task = Promise.withResolvers<void>();
  const done = lock.whileOwned(() => task.promise);
  while (object.owner === undefined || !lock.held) await settled();
  object.watchers.set(4n, 2n);
  await lock.renew();
  assert.deepEqual(object.owner, { client: 4n, cookie: "auto 2" });
  await lock.guarded((guard) => changeAll(host.pool, "o", [guard]));
  task.resolve();
  assert.ok(await done);
  await lock.release();
  assert.equal(object.owner, undefined);
});

test("a change of the header that is under way when the lock gets another name is not refused", async () => {
  const { object, host, lock } = open();
  await lock.acquire();
  object.watchers.set(4n, 2n);
  const changes = [0, 1, 2].map((n) => {
    if (n === 1) void lock.renew();
    return lock.guarded((guard) => changeAll(host.pool, "o", [guard]));
  });
  await Promise.all(changes);
  assert.equal(object.owner?.cookie, "auto 2");
});

test("a name whose answer was lost is the lock's name all the same", async () => {
  const { object, lock } = open();
  await lock.acquire();
  object.watchers.set(4n, 2n);
  object.losing = "set_cookie";
  await assert.rejects(lock.renew());
  await lock.renew();
  assert.ok(lock.owned);
  await lock.release();
  assert.equal(object.owner, undefined);
});

test("an owner who gives the lock away and ends its watch between two looks is not fenced", async () => {
  const { object, lock } = open();
  object.owner = { client: 9n, cookie: "auto 7" };
  object.before = (what) => {
    if (what === "watchers") object.owner = undefined;
  };
  await lock.acquire();
  assert.deepEqual(object.blocklist, []);
});

test("an owner who watches anew before the second look is asked, and not fenced", async () => {
  const { object } = open();
  object.owner = { client: 9n, cookie: "auto 7" };
  let looks = 0;
  object.before = (what) => {
    if (what === "watchers" && ++looks === 2) {
      object.watchers.set(9n, 8n);
      object.owner = { client: 9n, cookie: "auto 8" };
    }
  };
  let asked = 0;
  const host = object.hostOf(4n, {
    askOwner: async () => {
      asked++;
      object.owner = undefined;
      return 0;
    },
  });
  const lock = new ExclusiveLock(host);
  const acquired = lock.acquire();
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  lock.wake();
  await acquired;
  assert.deepEqual([asked, object.blocklist], [1, []]);
});

test("an owner who is dead twice is fenced, and then the lock is taken", async () => {
  const { object, lock } = open();
  object.owner = { client: 9n, cookie: "auto 7" };
  await lock.acquire();
  assert.deepEqual(object.blocklist, ["192.0.2.1:0/9"]);
  assert.deepEqual(object.called, ["break_lock", "lock"]);
});

test("an owner who is dead is fenced for as long as rbd_blocklist_expire_seconds says", async () => {
  const { object, lock } = open();
  object.owner = { client: 9n, cookie: "auto 7" };
  object.settings.set("rbd_blocklist_expire_seconds", "90");
  await lock.acquire();
  assert.deepEqual([object.blocklist, object.blocked], [["192.0.2.1:0/9"], 90]);
});

test("without rbd_blocklist_on_break_lock the lock is taken, and nobody is fenced", async () => {
  const { object, lock } = open();
  object.owner = { client: 9n, cookie: "auto 7" };
  object.settings.set("rbd_blocklist_on_break_lock", "false");
  await lock.acquire();
  assert.deepEqual([object.blocklist, object.called], [[], ["break_lock", "lock"]]);
});

test("nobody fences itself: a lock that another of its images left behind is given back", async () => {
  const { object, lock } = open();
  object.owner = { client: 4n, cookie: "auto 99" };
  await lock.acquire();
  assert.deepEqual([object.blocklist, object.called], [[], ["unlock", "lock"]]);
});

test("a lock that was taken without our knowing is given to who asks for it", async () => {
  const { object, lock } = open();
  object.losing = "lock";
  await assert.rejects(lock.acquire());
  assert.equal(object.owner?.client, 4n);
  assert.equal(lock.requested(), 0);
  while (object.owner !== undefined) await settled();
  assert.equal(lock.requested(), undefined);
});

test("a lock whose return had no answer is returned again, until it is gone", async () => {
  const { object, lock } = open();
  await lock.acquire();
  object.losing = "unlock";
  await lock.release();
  assert.equal(object.owner, undefined);
  assert.deepEqual(object.called, ["lock", "unlock", "unlock"]);
  await lock.acquire();
  assert.ok(lock.owned);
});

test("a lock that could not be given away is not lost to those who write, nor to those who want it", async () => {
  const { object } = open();
  const failures: unknown[] = [];
  let writesWait = false;
  const host = object.hostOf(4n, {
    releasing: async () => {
      writesWait = true;
    },
    released: () => {
      writesWait = false;
    },
    notReleased: (error) => void failures.push(error),
  });
  const lock = new ExclusiveLock(host, { unlockAttempts: 1 });
  await lock.acquire();
  object.before = (method) => {
    if (method === "unlock") throw new RadosError("EIO", "the OSD fails");
  };
  assert.equal(lock.requested(), 0);
  while (failures.length === 0) await settled();
  assert.deepEqual([writesWait, lock.owned, object.owner?.client], [false, false, 4n]);
  // A write takes it again, and it can be asked for again.
  await lock.acquire();
  assert.ok(lock.owned);
  await assert.rejects(lock.release(), { code: "EIO" });
  object.before = () => {};
  assert.equal(lock.requested(), 0);
  while (object.owner !== undefined) await settled();
  assert.equal(failures.length, 1);
});

test("an owner who keeps the lock is asked again until it is given away, by one who waits for that", async () => {
  const { object } = open();
  object.owner = { client: 9n, cookie: "auto 8" };
  object.watchers.set(9n, 8n);
  const refusals: string[] = [];
  const host = object.hostOf(4n, {
    askOwner: async () => -30,
    waiting: (error) => void (error && refusals.push(error.code)),
  });
  await assert.rejects(new ExclusiveLock(host).acquire(), { code: "SIPHON_RBD_LOCKED" });
  assert.deepEqual(refusals, []);
  const lock = new ExclusiveLock(host, { waits: true });
  const acquired = lock.acquire();
  while (refusals.length === 0) await settled();
  object.owner = undefined;
  lock.wake();
  await acquired;
  assert.ok(lock.owned);
});

test("the lock is kept from others for as long as it is to be", async () => {
  const { object, host } = open();
  let keeps = true;
  const lock = new ExclusiveLock(host, { keeps: () => keeps });
  await lock.acquire();
  assert.equal(lock.requested(), -30);
  keeps = false;
  assert.equal(lock.requested(), 0);
  while (object.owner !== undefined) await settled();
});

/** A client that keeps the lock, and whoever asks is told what is said of the wait. */
function keptByAnother() {
  const { object } = open();
  object.owner = { client: 9n, cookie: "auto 8" };
  object.watchers.set(9n, 8n);
  const told: (string | undefined)[] = [];
  const host = object.hostOf(4n, {
    askOwner: async () => -30,
    waiting: (error) => void told.push(error?.code),
  });
  return { object, told, lock: new ExclusiveLock(host, { waits: true }) };
}

test("who gives up to wait for the lock waits no more, for whatever reason", async () => {
  const { object, told, lock } = keptByAnother();
  const aborting = new AbortController();
  const acquired = lock.acquire(aborting.signal);
  while (told.length === 0) await settled();
  assert.deepEqual(told, ["SIPHON_RBD_LOCKED"]);
  aborting.abort(new Error("enough"));
  await assert.rejects(acquired, /enough/);
  assert.deepEqual(told, ["SIPHON_RBD_LOCKED", undefined]);

  assert.equal(await lock.acquireUnlessBusy(), false);
  assert.equal(told.at(-1), undefined);

  const again = lock.acquire();
  while (told.at(-1) === undefined) await settled();
  object.before = () => {
    throw new RadosError("EIO", "the OSD fails");
  };
  lock.wake();
  await assert.rejects(again, { code: "EIO" });
  assert.equal(told.at(-1), undefined);
});

test("who gives up before its turn comes takes no lock", async () => {
  const { object, lock } = open();
  const task = Promise.withResolvers<void>();
  const done = lock.whileOwned(async () => {
    await task.promise;
    // Given away by the time at which the next one is at work.
    object.owner = undefined;
  });
  const aborting = new AbortController();
  const released = lock.release();
  const acquired = lock.acquire(aborting.signal);
  aborting.abort(new Error("enough"));
  task.resolve();
  await Promise.all([done, released]);
  await assert.rejects(acquired, /enough/);
  assert.deepEqual([lock.owned, object.owner], [false, undefined]);
});

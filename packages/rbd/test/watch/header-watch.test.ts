import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pool, RadosError, type WatchHandler } from "@siphon/rados";
import { HeaderWatch } from "../../src/watch/header-watch.ts";

/** A pool in which watches are registered as the test says. */
class WatchedPool {
  readonly log: string[] = [];
  /** Registrations that fail from now on, one after the other, and what they fail with. */
  readonly failures: RadosError[] = [];
  handler!: WatchHandler;
  #cookies = 0n;

  async watch(_object: string, handler: WatchHandler) {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.handler = handler;
    return { cookie: ++this.#cookies, close: async () => void this.log.push("unwatched") };
  }
}

async function open(renewed = async () => {}, notified = async () => {}) {
  const pool = new WatchedPool();
  const over = Promise.withResolvers<void>();
  const failing = Promise.withResolvers<void>();
  const watch = await HeaderWatch.open(pool as unknown as Pool, "rbd_header.a", {
    notified: async () => {
      await notified();
      return undefined;
    },
    lost: () => void pool.log.push("lost"),
    failing: (error) => {
      pool.log.push(`failing: ${error.message}`);
      failing.resolve();
    },
    renewed: async () => {
      pool.log.push("renewed");
      await renewed();
    },
    restored: () => {
      pool.log.push("restored");
      over.resolve();
    },
    ended: (error) => {
      pool.log.push(`ended: ${error.code}`);
      over.resolve();
    },
  });
  return { pool, watch, over: over.promise, failing: failing.promise };
}

const gone = new RadosError("ENOTCONN", "the watch is gone");
const noAnswer = new RadosError("ETIMEDOUT", "no answer");

test("a watch that is lost is made again, and one that cannot be made at once says why, once", async () => {
  const { pool, watch, over } = await open();
  pool.failures.push(noAnswer, noAnswer);
  pool.handler.lost(gone);
  await over;
  assert.deepEqual(pool.log, ["lost", "failing: no answer", "renewed", "restored"]);
  assert.equal(await watch.cookie(), 2n);
});

test("as long as the lock cannot be named after the new watch it is tried again, and told", async () => {
  let failures = 2;
  const { pool, over } = await open(async () => {
    if (failures-- > 0) throw noAnswer;
  });
  pool.handler.lost(gone);
  await over;
  assert.deepEqual(pool.log, ["lost", "renewed", "failing: no answer", "renewed", "renewed", "restored"]);
});

test("who is on the blocklist watches no more, and is told so", async () => {
  const { pool, over } = await open();
  pool.failures.push(noAnswer, new RadosError("ESHUTDOWN", "blocklisted"));
  pool.handler.lost(gone);
  await over;
  assert.deepEqual(pool.log, ["lost", "failing: no answer", "ended: ESHUTDOWN"]);
});

test("closed while it is tried again, nothing is tried any more", async () => {
  const { pool, watch, failing } = await open();
  pool.failures.push(...Array.from({ length: 100 }, () => noAnswer));
  pool.handler.lost(gone);
  await failing;
  await watch.close();
  assert.deepEqual(pool.log, ["lost", "failing: no answer"]);
  assert.ok(pool.failures.length >= 98);
});

test("a notification that cannot be followed gets an empty answer, and a fault of the program is not swallowed", async () => {
  const failures = [noAnswer, new RadosError("ESHUTDOWN", "on the blocklist"), new TypeError("a bug")];
  const { pool } = await open(undefined, () => Promise.reject(failures.shift()));
  const notify = async () => pool.handler.notified(Buffer.alloc(0), 5n);
  assert.equal(await notify(), undefined);
  assert.equal(await notify(), undefined);
  await assert.rejects(notify(), /a bug/);
});

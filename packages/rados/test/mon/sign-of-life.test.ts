import assert from "node:assert/strict";
import { test } from "node:test";
import type { RadosError } from "../../src/errors.ts";
import type { MonSession } from "../../src/mon/session.ts";
import { SignOfLife } from "../../src/mon/sign-of-life.ts";

/** As much of a session as is looked at. */
function session(asked: () => void): MonSession & { isClosed: boolean } {
  const fake = {
    peer: { name: "mon.a" },
    lastKeepaliveAck: performance.now(),
    isClosed: false,
    keepalive: asked,
    close() {
      this.isClosed = true;
    },
  };
  return fake as unknown as MonSession & { isClosed: boolean };
}

test("a monitor that answers is asked again and again, one that does not is left", async () => {
  const lost = Promise.withResolvers<RadosError>();
  const signs = new SignOfLife(5, 60_000, (_, error) => lost.resolve(error));
  let asked = 0;
  const watched = session(() => {
    // It answers ten times; then a minute passes.
    const at = performance.now() - (++asked <= 10 ? 0 : 61_000);
    Object.assign(watched, { lastKeepaliveAck: at });
  });
  signs.watch(watched);
  const error = await lost.promise;
  signs.stop();
  assert.ok(asked > 10 && watched.isClosed);
  assert.deepEqual([error.code, error.retryable], ["SIPHON_RADOS_TIMEOUT", true]);
  assert.match(error.message, /mon\.a gave no sign of life for \d+ s/);
});

test("a new session takes the place of the one before", async () => {
  const answered = Promise.withResolvers<void>();
  const signs = new SignOfLife(5, 60_000, () => answered.reject(new Error("lost")));
  let asked = 0;
  signs.watch(session(() => assert.fail("the old one is asked")));
  signs.watch(
    session(() => {
      if (++asked === 3) answered.resolve();
    }),
  );
  await answered.promise;
  signs.stop();
});

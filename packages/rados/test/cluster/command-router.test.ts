import assert from "node:assert/strict";
import { test } from "node:test";
import { type CommandPaths, CommandRouter } from "../../src/cluster/command-router.ts";
import { RadosError } from "../../src/errors.ts";

const noTicket = () =>
  new RadosError("SIPHON_RADOS_AUTH", "no valid ticket for osd daemons", { retryable: true });
const addr = { type: "msgr2", nonce: 0, family: 4, address: "192.0.2.1", port: 6800 };

/** A router whose first attempts to show a ticket fail in this way. */
function routerThatFails(failures: RadosError[]) {
  const seen = { attempts: 0, renewals: 0 };
  const paths = {
    messenger: { connect() {} },
    authenticator: {
      forDaemon() {
        throw failures[Math.min(seen.attempts++, failures.length - 1)];
      },
    },
    monClient: { monmap: { fsid: "f" }, renewTickets: () => seen.renewals++ },
    osdmaps: { map: { addrs: () => [addr], isUp: () => true } },
  } as unknown as CommandPaths;
  const send = (timeout: number, signal?: AbortSignal) =>
    new CommandRouter(paths).send("version", "{}", { osd: 0 }, { timeout, signal });
  return { send, seen };
}

test("a command waits for a ticket where there is none, or the daemon takes none of ours, and asks for new ones", async () => {
  const other = new RadosError("SIPHON_RADOS_CONNECTION", "another failure", { retryable: true });
  const { send, seen } = routerThatFails([noTicket(), noTicket(), other]);
  await assert.rejects(send(60_000), other);
  assert.deepEqual(seen, { attempts: 3, renewals: 2 });
});

test("when the time is over it fails with what kept it", async () => {
  const { send, seen } = routerThatFails([noTicket()]);
  await assert.rejects(send(1), { code: "SIPHON_RADOS_AUTH", retryable: true });
  assert.deepEqual(seen, { attempts: 1, renewals: 0 });
});

test("a rejected key fails at once, and a wait for tickets can be aborted", async () => {
  const refused = new RadosError("SIPHON_RADOS_AUTH", "no such user");
  await assert.rejects(routerThatFails([refused]).send(60_000), refused);
  const stop = new AbortController();
  const waiting = routerThatFails([noTicket()]).send(60_000, stop.signal);
  const reason = new Error("stop");
  stop.abort(reason);
  await assert.rejects(waiting, reason);
});

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { awaitDaemon } from "../../src/cluster/daemons.ts";
import { LabError } from "../../src/errors.ts";
import { Daemon } from "../../src/host/daemon.ts";
import { Resource } from "../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-daemons-"));
process.env.SIPHON_STATE_DIR = dir;
after(() => rmSync(dir, { recursive: true, force: true }));

const sleeping = (resource: Resource) =>
  Daemon.start({ name: "osd.0", command: "sleep", args: ["600"], resource });

/** An admin socket that answers with the states one after the other, then with the last one; `asked` is called first. */
async function adminSocket(path: string, states: string[], asked: () => void): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.once("data", () => {
      asked();
      const state = states.length > 1 ? states.shift() : states[0];
      const answer = Buffer.from(JSON.stringify({ state }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(answer.length);
      socket.end(Buffer.concat([length, answer]));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}

const isActive = ({ state }: { state: string }) => state === "active";

test("a daemon that goes on with its start is waited for, however long each step takes", async () => {
  await using resource = await Resource.create("work", "slow");
  await using daemon = await sleeping(resource);
  const states = [...Array.from({ length: 20 }, () => "booting"), "active"];
  const log = () => appendFileSync(resource.path("osd.0.log"), "a line\n");
  await using _ = await adminSocket(resource.path("asok"), states, log);
  const options = { quietMs: 0 };
  const answer = await awaitDaemon(resource, daemon, resource.path("asok"), "status", isActive, options);
  assert.deepEqual(answer, { state: "active" });
});

test("a daemon that does nothing is given up", async () => {
  await using resource = await Resource.create("work", "hangs");
  await using daemon = await sleeping(resource);
  await using _ = await adminSocket(resource.path("asok"), ["booting"], () => {});
  await assert.rejects(
    awaitDaemon(resource, daemon, resource.path("asok"), "status", isActive, { quietMs: 100 }),
    (error) =>
      error instanceof LabError &&
      error.code === "SIPHON_TIMEOUT" &&
      /osd\.0 is not ready after 0\.1 s without progress/.test(error.message),
  );
});

test("a daemon that has ended is not waited for", async () => {
  await using resource = await Resource.create("work", "ended");
  await using daemon = await sleeping(resource);
  await daemon.stop();
  await daemon.exited;
  await assert.rejects(
    awaitDaemon(resource, daemon, resource.path("asok"), "status", isActive),
    (error) => error instanceof LabError && error.code === "SIPHON_DAEMON_DIED",
  );
});

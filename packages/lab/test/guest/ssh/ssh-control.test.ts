import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LabError } from "../../../src/errors.ts";
import { keyPair } from "../../../src/guest/ssh/key-pair.ts";
import { SshControl, type SshControlOptions } from "../../../src/guest/ssh/ssh-control.ts";
import { pidsWithEnvironment } from "../../../src/host/proc.ts";
import { RESOURCE_VARIABLE } from "../../../src/state/resource.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-ssh-"));
process.env.SIPHON_CACHE_DIR = join(dir, "cache");

/** QEMU's forwarding while the guest boots: connections are accepted, and nothing is said. */
let silent: Server;
let options: SshControlOptions;

before(async () => {
  silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const { privateKey } = await keyPair();
  options = { port, privateKey, directory: dir, timeoutMs: 60_000, qemuEnded: new Promise(() => {}) };
});

after(() => {
  silent.close();
  rmSync(dir, { recursive: true });
});

function assertNoSshLeft(): void {
  assert.deepEqual(
    pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value === dir),
    [],
  );
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith("ssh-")),
    [],
  );
}

test("a guest whose ssh server never says anything is given up in time, and no ssh is left", async () => {
  await assert.rejects(
    SshControl.connect({ ...options, timeoutMs: 1_000 }),
    (error) =>
      error instanceof LabError && error.code === "SIPHON_TIMEOUT" && /within 1 s/.test(error.message),
  );
  assertNoSshLeft();
});

test("a port that nothing listens on is tried again until the time is up, and ssh's words are told", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await assert.rejects(
    SshControl.connect({ ...options, port, timeoutMs: 3_000 }),
    (error) => error instanceof LabError && /Connection refused/.test(error.message),
  );
  assertNoSshLeft();
});

test("the wait ends as soon as QEMU does, with QEMU's error", async () => {
  const ended = Promise.withResolvers<LabError>();
  const connecting = SshControl.connect({ ...options, qemuEnded: ended.promise });
  connecting.catch(() => {});
  await once(silent, "connection");
  ended.resolve(new LabError("SIPHON_VM", "QEMU was ended by SIGKILL"));
  await assert.rejects(connecting, /QEMU was ended by SIGKILL/);
  assertNoSshLeft();
});

test("an abort ends the wait with its reason", async () => {
  const abort = new AbortController();
  const connecting = SshControl.connect({ ...options, signal: abort.signal });
  connecting.catch(() => {});
  await once(silent, "connection");
  abort.abort(new Error("interrupted"));
  await assert.rejects(connecting, /interrupted/);
  assertNoSshLeft();
});

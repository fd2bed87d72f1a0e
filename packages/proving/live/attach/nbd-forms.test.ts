import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { MemoryServer } from "../../../attach/test/support/memory-server.ts";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import {
  exchange,
  type Form,
  flagSets,
  flagsOf,
  requestsOf,
  unknownCommand,
} from "../../../attach/test/support/request-forms.ts";
import { kill } from "../../support/attach/run.ts";
import { startQemu } from "../../support/attach/test-qemu.ts";
import { listens } from "../../support/listens.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-nbd-forms-"));
const theirSocket = join(directory, "qemu-nbd.sock");
const size = 64 << 10;
const [ENOSPC, EINVAL, ENOTSUP] = [28, 22, 95];

let qemuNbd: ReturnType<typeof startQemu>;
let server: MemoryServer;

before(async () => {
  const file = join(directory, "disk.raw");
  writeFileSync(file, "");
  truncateSync(file, size);
  qemuNbd = startQemu("qemu-nbd", ["-k", theirSocket, "-f", "raw", "-t", "-e", "8", "-x", "pool/disk", file]);
  while (!listens(theirSocket)) {
    assert.equal(qemuNbd.exitCode, null, "qemu-nbd ended");
    await pause(20);
  }
  server = await MemoryServer.start({ size });
});

after(async () => {
  await server?.[Symbol.asyncDispose]();
  if (qemuNbd) await kill(qemuNbd);
  rmSync(directory, { recursive: true, force: true });
});

async function open(socket: string, form: Form): Promise<NbdClient> {
  const client = await NbdClient.connect(socket);
  const contexts = form === "simple" ? [] : ["base:allocation"];
  await client.go("pool/disk", {
    structured: form === "structured",
    extended: form === "extended",
    contexts,
  });
  return client;
}

async function knowsExtendedHeaders(): Promise<boolean> {
  const client = await NbdClient.connect(theirSocket);
  await client.greet();
  const [reply] = await client.option(11);
  client.socket.destroy();
  return reply?.type === 1;
}

/** Two differences are allowed: the protocol has ENOSPC for writes beyond the end, and fast zeroing without a hole is optional. */
const allowed = (ours: number, theirs: number): boolean =>
  ours === theirs || (ours === ENOSPC && theirs === EINVAL) || (ours === ENOTSUP && theirs === 0);

for (const form of ["simple", "structured", "extended"] as const) {
  test(`every command, flag and length is answered like by QEMU's own server, ${form} replies`, async (t) => {
    if (form === "extended" && !(await knowsExtendedHeaders())) {
      t.skip("this QEMU has no extended headers: they came with 8.2");
      return;
    }
    const [ours, theirs] = [await open(server.socket, form), await open(theirSocket, form)];
    for (const command of [...flagsOf(form).keys(), unknownCommand]) {
      for (const flags of flagSets) {
        for (const request of requestsOf(command, flags, form, size)) {
          const answers = [
            await exchange(ours, request, form),
            await exchange(theirs, request, form),
          ] as const;
          const { offset, length, payload } = request;
          const what = `command ${command}, flags ${flags}, ${offset}+${length}, payload ${payload?.length}: ${answers}`;
          assert.ok(allowed(...answers), what);
        }
      }
    }
    ours.socket.destroy();
    theirs.socket.destroy();
  });
}

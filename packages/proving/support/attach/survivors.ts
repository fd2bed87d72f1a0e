import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { FrontEnd } from "../../../attach/test/support/front-end.ts";
import { GuestDriver, headerAreaBytes } from "../../../attach/test/support/guest-driver.ts";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import { listens } from "../listens.ts";
import { blockBytes, type Lane } from "./checked-load.ts";
import { nbdLane } from "./disk-client.ts";
import { kill } from "./run.ts";

/** A VM's side of a disk, which outlives the server. */
export interface Survivor extends AsyncDisposable {
  readonly lanes: readonly Lane[];
  /** The server was killed. */
  lost(): void;
  /** The next server is there. */
  found(): Promise<void>;
}

const laneCount = 16;

/** QEMU's NBD client with `reconnect-delay`, and connections to an export of QEMU's own. */
export async function nbdSurvivor(inner: string, exportName: string): Promise<Survivor> {
  const outer = `${inner}.outer`;
  const child = await qemuBetween(inner, outer, exportName);
  const lanes: Lane[] = [];
  const clients: NbdClient[] = [];
  for (let i = 0; i < laneCount; i++) {
    const client = await NbdClient.connect(outer);
    await client.go("disk");
    clients.push(client);
    lanes.push(nbdLane(client));
  }
  return {
    lanes,
    lost: () => {},
    found: async () => {},
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy();
      await kill(child);
    },
  };
}

async function qemuBetween(inner: string, outer: string, exportName: string): Promise<ChildProcess> {
  const server = { type: "unix", path: inner };
  const node = { driver: "nbd", "node-name": "disk", server, export: exportName, "reconnect-delay": 120 };
  const out = ["--nbd-server", `addr.type=unix,addr.path=${outer}`];
  const disk = ["--export", "type=nbd,id=out,node-name=disk,name=disk,writable=on"];
  const args = ["--blockdev", JSON.stringify(node), ...out, ...disk];
  // A socket left by an earlier, killed client says nothing about this one.
  rmSync(outer, { force: true });
  const child = spawn("qemu-storage-daemon", args, { stdio: "inherit" });
  while (!listens(outer)) {
    assert.equal(child.exitCode, null, "qemu-storage-daemon ended");
    await pause(50);
  }
  return child;
}

/** QEMU's side of a vhost-user socket and the guest's in one: rings and memory survive the server. */
export async function vhostSurvivor(socket: string): Promise<Survivor> {
  const memoryBytes = headerAreaBytes + laneCount * blockBytes;
  let frontEnd = await FrontEnd.connect(socket, { memoryBytes });
  let driver = new GuestDriver(frontEnd);
  let away = Promise.withResolvers<void>();
  away.resolve();
  const lane = (index: number): Lane => {
    const at = frontEnd.dataAt + headerAreaBytes + index * blockBytes;
    return {
      async write(offset, bytes) {
        await away.promise;
        frontEnd.memory.set(bytes, at);
        assert.equal((await driver.write(offset, at, bytes.length)).status, 0, "a write failed");
      },
      async read(offset, length) {
        await away.promise;
        assert.equal((await driver.read(offset, at, length)).status, 0, "a read failed");
        return Buffer.from(frontEnd.memory.subarray(at, at + length));
      },
    };
  };
  return {
    lanes: Array.from({ length: laneCount }, (_, index) => lane(index)),
    lost() {
      away = Promise.withResolvers();
    },
    async found() {
      frontEnd.disconnect();
      frontEnd = await FrontEnd.connect(socket, { memoryBytes, resume: frontEnd });
      const before = driver;
      driver = new GuestDriver(frontEnd);
      driver.adopt(before);
      away.resolve();
    },
    async [Symbol.asyncDispose]() {
      frontEnd[Symbol.dispose]();
    },
  };
}

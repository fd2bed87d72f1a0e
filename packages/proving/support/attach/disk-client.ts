import assert from "node:assert/strict";
import { FrontEnd } from "../../../attach/test/support/front-end.ts";
import { GuestDriver, headerAreaBytes } from "../../../attach/test/support/guest-driver.ts";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import { blockBytes, type Lane } from "./checked-load.ts";
import type { Transport } from "./survival.ts";

/**
 * A VM's side of a disk, which can pause and resume as QEMU does before and after a migration. One request at a time.
 */
export interface DiskClient extends Lane, Disposable {
  /** Resolves once nothing is in flight; the VM is then paused. */
  stop(): Promise<void>;
  goOn(): Promise<void>;
}

export function connectDisk(transport: Transport, socket: string, image: string): Promise<DiskClient> {
  return transport === "vhost" ? connectVhost(socket) : connectNbd(socket, image);
}

async function connectVhost(socket: string): Promise<DiskClient> {
  const frontEnd = await FrontEnd.connect(socket, { memoryBytes: headerAreaBytes + blockBytes });
  const at = frontEnd.dataAt + headerAreaBytes;
  let driver = new GuestDriver(frontEnd);
  return {
    async write(offset, bytes) {
      frontEnd.memory.set(bytes, at);
      assert.equal((await driver.write(offset, at, bytes.length)).status, 0, "a write failed");
    },
    async read(offset, length) {
      assert.equal((await driver.read(offset, at, length)).status, 0, "a read failed");
      return Buffer.from(frontEnd.memory.subarray(at, at + length));
    },
    async stop() {
      await frontEnd.stopQueue(0);
    },
    async goOn() {
      const { ring } = driver;
      await frontEnd.startQueue(0, ring.size, { earlier: ring });
      driver = new GuestDriver(frontEnd);
    },
    [Symbol.dispose]: () => frontEnd[Symbol.dispose](),
  };
}

/** Over NBD the only sign of a pausing VM is its flush. */
async function connectNbd(socket: string, image: string): Promise<DiskClient> {
  const client = await NbdClient.connect(socket);
  await client.go(image);
  const flush = 3;
  return {
    ...nbdLane(client),
    async stop() {
      client.send({ type: flush });
      assert.equal((await client.simpleReply()).error, 0, "a flush failed");
    },
    goOn: async () => {},
    [Symbol.dispose]: () => void client.socket.destroy(),
  };
}

/** The disk that a client has chosen, over its one connection. */
export function nbdLane(client: NbdClient): Lane {
  return {
    async write(offset, payload) {
      client.send({ type: 1, offset, payload });
      assert.equal((await client.simpleReply()).error, 0, "a write failed");
    },
    async read(offset, length) {
      client.send({ type: 0, offset, length });
      const { error, data } = await client.simpleReply(length);
      assert.equal(error, 0, "a read failed");
      return Buffer.from(data);
    },
  };
}

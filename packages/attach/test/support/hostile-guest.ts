import { openSync } from "node:fs";
import { Random } from "../../../rados/test/support/random.ts";
import { closeQuietly } from "../../src/vhost/native/event.ts";
import { headerBytes } from "../../src/vhost/protocol/channel.ts";
import { requestCode } from "../../src/vhost/protocol/codes.ts";
import { vringState } from "../../src/vhost/protocol/payloads.ts";
import { descriptorFlag } from "./driver-ring.ts";
import { FrontEnd } from "./front-end.ts";
import { blkType } from "./guest-driver.ts";

const queueSize = 32;
const memoryBytes = 1 << 20;

const addresses = ["data", "edge", "hole", "ring", "huge", "zero"] as const;
const lengths = [0, 1, 15, 16, 17, 31, 512, 4096, 65536, 0x7fffffff, 0xffffffff];

/** A guest and a front-end that do what none should: descriptors, rings and messages that are damaged or made up. */
export class HostileGuest {
  readonly random: Random;
  readonly #socket: string;
  #frontEnd: FrontEnd | undefined;
  #stopped = false;
  /** The server was told not to answer any more. */
  #unanswered = false;

  constructor(socket: string, seed: number) {
    this.#socket = socket;
    this.random = new Random(seed);
  }

  /** One attack. What the server makes of it is not looked at: it must merely stay whole. */
  async attack(): Promise<void> {
    if (this.#frontEnd === undefined || this.#frontEnd.hungUp || this.#unanswered) await this.#reconnect();
    const kind = this.random.below(100);
    if (kind < 45) await this.#damagedRequests();
    else if (kind < 90) await this.#madeUpRing();
    else if (kind < 97) await this.#message();
    else await this.#changesUnderWay();
  }

  close(): void {
    this.#frontEnd?.[Symbol.dispose]();
    this.#frontEnd = undefined;
  }

  async #reconnect(): Promise<void> {
    this.close();
    const regions = this.random.between(1, 4);
    const features = this.random.chance(0.8) ? {} : { features: ~(1n << 26n) & ~(1n << 29n) };
    this.#frontEnd = await FrontEnd.connect(this.#socket, { queueSize, memoryBytes, regions, ...features });
    this.#stopped = false;
    this.#unanswered = false;
  }

  /** Good requests with one field of one descriptor, of the header or of the ring changed. */
  async #damagedRequests(): Promise<void> {
    const { random } = this;
    const frontEnd = await this.#running();
    const ring = frontEnd.queues[0]!;
    const { memory, dataAt } = frontEnd;
    const requests = random.between(1, 4);
    for (let index = 0; index < requests; index++) {
      const header = dataAt + index * 64;
      memory.writeUInt32LE(random.pick([...Object.values(blkType), 2, 77]), header);
      memory.writeUInt32LE(0, header + 4);
      memory.writeBigUInt64LE(BigInt(random.pick([0, 1, 2 ** 17 - 1, 2 ** 17, 2 ** 52])), header + 8);
      const indirect = random.chance(0.5);
      const buffers = [
        { at: header, length: 16, write: false },
        { at: dataAt + 8192, length: random.pick([16, 512, 4096, 65536]), write: random.chance(0.5) },
        { at: header + 32, length: 1, write: true },
      ];
      const head = ring.chain(buffers, indirect);
      const table = indirect ? ring.indirectTableAt(head) : 0;
      const damaged = (indirect ? table : 0) + 16 * (indirect ? random.below(3) : head);
      if (random.chance(0.8)) this.#damageDescriptor(frontEnd, damaged);
      ring.offer(random.chance(0.95) ? head : random.below(0x10000));
    }
    await this.#settle(frontEnd);
  }

  /** A descriptor table and an available ring of nothing but noise. */
  async #madeUpRing(): Promise<void> {
    const { random } = this;
    const frontEnd = await this.#running();
    const ring = frontEnd.queues[0]!;
    for (let index = 0; index < queueSize; index++) {
      ring.setDescriptor(index, {
        address: this.#address(frontEnd),
        length: random.pick(lengths),
        flags: random.below(random.chance(0.9) ? 8 : 0x10000),
        next: random.chance(0.9) ? random.below(queueSize) : random.below(0x10000),
      });
    }
    for (let offers = random.between(1, 8); offers > 0; offers--) {
      ring.offer(random.chance(0.9) ? random.below(queueSize) : random.below(0x10000));
    }
    if (random.chance(0.1)) ring.setAvailableIndex(random.below(0x10000));
    await this.#settle(frontEnd);
  }

  /** A message that makes no sense, or makes sense at another time; often with descriptors that do not belong to it. */
  async #message(): Promise<void> {
    const { random } = this;
    const frontEnd = this.#frontEnd!;
    const request = random.chance(0.9) ? random.pick(Object.values(requestCode)) : random.below(64);
    const payload = Buffer.alloc(random.pick([0, 4, 8, 20, 24, 40, 44, 72, 200, 1200]));
    for (let at = 0; at + 4 <= payload.length; at += 4) {
      payload.writeUInt32LE(random.pick([0, 0, 1, 2, 7, 255, 256, 4096, 0x7fffffff, 0xffffffff]), at);
    }
    if (request === requestCode.addMemReg || request === requestCode.setMemTable) payload[12] = 0;
    const fds = Array.from({ length: random.pick([0, 0, 1, 1, 2, 8]) }, () => this.#descriptor(frontEnd));
    if (random.chance(0.9)) frontEnd.channel.request(request, payload, fds, random.chance(0.5));
    else frontEnd.channel.request(random.below(2 ** 32), Buffer.alloc(headerBytes), fds);
    for (const fd of fds) if (fd !== frontEnd.memoryFd) closeQuietly(fd);
    this.#stopped = true;
    this.#unanswered = request === requestCode.setProtocolFeatures;
    await turns(4);
  }

  /** Changes things that a good driver leaves alone while requests are in flight: their descriptors, and the memory they are in. */
  async #changesUnderWay(): Promise<void> {
    const { random } = this;
    const frontEnd = await this.#running();
    const ring = frontEnd.queues[0]!;
    const header = frontEnd.dataAt;
    frontEnd.memory.writeUInt32LE(random.pick([blkType.read, blkType.write]), header);
    frontEnd.memory.writeBigUInt64LE(0n, header + 8);
    const head = ring.chain(
      [
        { at: header, length: 16, write: false },
        { at: frontEnd.dataAt + 8192, length: 65536, write: random.chance(0.5) },
        { at: header + 32, length: 1, write: true },
      ],
      true,
    );
    ring.offer(head);
    frontEnd.kick(0);
    await turns(1);
    this.#damageDescriptor(frontEnd, ring.indirectTableAt(head) + 16);
    const [region] = frontEnd.regionPayloads();
    frontEnd.channel.request(requestCode.remMemReg, region!, [], true);
    await turns(6);
    this.#stopped = true;
  }

  #damageDescriptor(frontEnd: FrontEnd, at: number): void {
    const { random } = this;
    const { memory } = frontEnd;
    switch (random.below(4)) {
      case 0:
        memory.writeBigUInt64LE(BigInt(this.#address(frontEnd)), at);
        break;
      case 1:
        memory.writeUInt32LE(random.pick(lengths), at + 8);
        break;
      case 2:
        memory.writeUInt16LE(random.below(8), at + 12);
        break;
      default:
        memory.writeUInt16LE(random.below(0x10000), at + 14);
        memory.writeUInt16LE(memory.readUInt16LE(at + 12) | descriptorFlag.next, at + 12);
    }
  }

  #address(frontEnd: FrontEnd): number {
    const { random } = this;
    const inside = frontEnd.dataAt + random.below(memoryBytes);
    switch (random.pick(addresses)) {
      case "data":
        return frontEnd.guestAddress(inside);
      case "edge":
        return frontEnd.guestAddress(frontEnd.memory.length - 1) + random.between(-64, 64);
      case "hole":
        return frontEnd.guestAddress(inside) + 0x0800_0000;
      case "ring":
        return frontEnd.guestAddress(random.below(frontEnd.dataAt));
      case "huge":
        return random.pick([2 ** 52, 2 ** 53 - 4096, 2 ** 63, 2 ** 64 - 2048]);
      case "zero":
        return random.below(4096);
    }
  }

  #descriptor(frontEnd: FrontEnd): number {
    return this.random.pick([
      () => frontEnd.memoryFd,
      () => openSync("/dev/zero", "r"),
      () => openSync("/proc/self/stat", "r"),
      () => openSync("/", "r"),
    ])();
  }

  /** With a ring that runs: one that broke is stopped and started again. */
  async #running(): Promise<FrontEnd> {
    const frontEnd = this.#frontEnd!;
    if (!this.#stopped) return frontEnd;
    this.#stopped = false;
    try {
      await frontEnd.stopQueue(0);
      frontEnd.queues[0]?.[Symbol.dispose]();
      frontEnd.memory.fill(0, 0, frontEnd.dataAt);
      frontEnd.channel.request(requestCode.setVringBase, vringState({ index: 0, num: 0 }));
      await frontEnd.startQueue(0, queueSize);
      return frontEnd;
    } catch {
      await this.#reconnect();
      return this.#frontEnd!;
    }
  }

  async #settle(frontEnd: FrontEnd): Promise<void> {
    frontEnd.kick(0);
    await turns(4);
    // Whatever came of it, the next attack begins with a fresh ring.
    this.#stopped = true;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

import { closeSync } from "node:fs";
import { blkFeature } from "../../src/vhost/blk/config-space.ts";
import { closeQuietly, createEvent, signalEvent } from "../../src/vhost/native/event.ts";
import { createSharedMemory, Mapping } from "../../src/vhost/native/mapping.ts";
import { connectTo, socketPair } from "../../src/vhost/native/socket.ts";
import { Channel, type Message } from "../../src/vhost/protocol/channel.ts";
import { protocolFeature, requestCode, ringFeature } from "../../src/vhost/protocol/codes.ts";
import { type InflightDescription, inflight, u64, vringState } from "../../src/vhost/protocol/payloads.ts";
import { DriverRing, ringBytes } from "./driver-ring.ts";
import { MigrationLog } from "./migration-log.ts";

export interface FrontEndOptions {
  /** Bytes of the guest's memory, for data; the rings come on top. */
  memoryBytes?: number;
  /** The guest's memory is given in as many parts, which lie apart in its address space. */
  regions?: number;
  queues?: number;
  queueSize?: number;
  /** Size of the rings for which the inflight area is requested; by default that of the rings. */
  inflightQueueSize?: number;
  /** virtio features to agree to, of those that are offered. */
  features?: bigint;
  /** As from a front-end's earlier connection, whose memory and rings this one goes on with. */
  resume?: FrontEnd;
}

/** Where the guest's memory begins in its own and in the front-end's address space. */
const guestBase = 0x1_0000_0000;
const userBase = 0x7f00_0000_0000;
/** Between two parts of the memory. */
const gap = 0x1000_0000;

/** Features that any back-end may offer; virtio's first 24 bits are the device's own. */
const everyFeature =
  0xffffffn | (Object.values(ringFeature).reduce((all, bit) => all | bit) ^ ringFeature.logAll);
const logAll = ringFeature.logAll;
const knownProtocolFeatures = Object.values(protocolFeature).reduce((all, bit) => all | bit);

/**
 * The other side of a vhost-user-blk socket: QEMU's part and the guest driver's in one, with memory and rings of its own. For tests
 * and for load without a guest.
 */
export class FrontEnd implements Disposable {
  readonly channel: Channel;
  readonly queues: DriverRing[] = [];
  /** The guest's memory, all parts in a row. */
  readonly memory: Buffer;
  readonly memoryFd: number;
  /** Where data may be put: after the rings. */
  readonly dataAt: number;
  offered = 0n;
  features = 0n;
  protocolFeatures = 0n;
  configChanges = 0;
  hungUp = false;
  /** Fulfilled when the other side hangs up. */
  readonly gone = Promise.withResolvers<void>();
  inflight: { fd: number; description: InflightDescription } | undefined;
  readonly #mapping: Mapping;
  readonly #options: Required<Omit<FrontEndOptions, "resume">>;
  readonly #replies: ((message: Message) => void)[] = [];
  #requests: Channel | undefined;

  private constructor(socket: string, options: FrontEndOptions) {
    const { queues = 1, queueSize = 128, regions = 1, memoryBytes = 16 << 20 } = options;
    const { features = everyFeature, inflightQueueSize = queueSize } = options;
    this.#options = { queues, queueSize, inflightQueueSize, regions, memoryBytes, features };
    this.dataAt = queues * ringBytes(queueSize);
    const size = Math.ceil((this.dataAt + memoryBytes) / (regions * 4096)) * regions * 4096;
    this.memoryFd = options.resume?.memoryFd ?? createSharedMemory("guest", size);
    this.#mapping = new Mapping(this.memoryFd, 0, size);
    this.memory = Buffer.from(this.#mapping.view(0, size));
    this.inflight = options.resume?.inflight;
    this.channel = new Channel(connectTo(socket), {
      message: (message) => {
        this.#replies.shift()?.(message);
        return undefined;
      },
      closed: () => {
        this.hungUp = true;
        this.gone.resolve();
      },
    });
  }

  /** Connects and sets everything up as QEMU does, up to rings that run. */
  static async connect(socket: string, options: FrontEndOptions = {}): Promise<FrontEnd> {
    const frontEnd = new FrontEnd(socket, options);
    await frontEnd.negotiate();
    await frontEnd.setMemory();
    await frontEnd.setInflight();
    const { queues, queueSize } = frontEnd.#options;
    for (let index = 0; index < queues; index++) {
      await frontEnd.startQueue(index, queueSize, { earlier: options.resume?.queues[index] });
    }
    return frontEnd;
  }

  /** Connects only. */
  static open(socket: string, options: FrontEndOptions = {}): FrontEnd {
    return new FrontEnd(socket, options);
  }

  async negotiate(): Promise<void> {
    this.offered = (await this.ask("getFeatures")).payload.readBigUInt64LE();
    const offered = (await this.ask("getProtocolFeatures")).payload.readBigUInt64LE();
    this.protocolFeatures = offered & knownProtocolFeatures;
    this.tell("setProtocolFeatures", u64(this.protocolFeatures));
    const [ours, theirs] = socketPair();
    this.#requests = new Channel(ours, {
      message: () => {
        this.configChanges++;
        return undefined;
      },
      closed: () => {},
    });
    await this.check("setBackendReqFd", Buffer.alloc(0), [theirs]);
    closeSync(theirs);
    this.tell("setOwner");
    this.features = this.offered & this.#options.features;
    await this.check("setFeatures", u64(this.features));
  }

  async setMemory(): Promise<void> {
    for (const region of this.regionPayloads()) await this.check("addMemReg", region, [this.memoryFd]);
  }

  /** The parts of the memory as ADD_MEM_REG describes them. */
  regionPayloads(): Buffer[] {
    const { regions } = this.#options;
    const size = this.memory.length / regions;
    return Array.from({ length: regions }, (_, index) => {
      const payload = Buffer.alloc(40);
      payload.writeBigUInt64LE(BigInt(this.guestAddress(index * size)), 8);
      payload.writeBigUInt64LE(BigInt(size), 16);
      payload.writeBigUInt64LE(BigInt(userBase + index * size), 24);
      payload.writeBigUInt64LE(BigInt(index * size), 32);
      return payload;
    });
  }

  /** A log of changes, long enough for the guest's memory. All its bits are cleared. */
  createLog(): MigrationLog {
    const bytes = Math.ceil((this.guestAddress(this.memory.length - 1) + 1) / 4096 / 64) * 8;
    return new MigrationLog(bytes);
  }

  /** Has the back-end log its changes, as QEMU does. Rejects if it refuses. */
  async startLog(log: MigrationLog): Promise<void> {
    await this.ask("setLogBase", log.description(), [log.fd]);
    await this.check("setFeatures", u64(this.features | logAll));
    for (const [index, { size }] of this.queues.entries()) {
      await this.check("setVringAddr", this.ringAddresses(index, size, true));
    }
  }

  async stopLog(): Promise<void> {
    await this.check("setFeatures", u64(this.features));
    for (const [index, { size }] of this.queues.entries()) {
      await this.check("setVringAddr", this.ringAddresses(index, size));
    }
  }

  /** Where the guest sees a byte of `memory`. */
  guestAddress(at: number): number {
    const size = this.memory.length / this.#options.regions;
    return guestBase + Math.floor(at / size) * gap + at;
  }

  async setInflight(): Promise<void> {
    const { queues, inflightQueueSize } = this.#options;
    if ((this.protocolFeatures & protocolFeature.inflightShmfd) === 0n) return;
    if (this.inflight === undefined) {
      const wanted = { mmapSize: 0, mmapOffset: 0, queues, queueSize: inflightQueueSize };
      const { payload, fds } = await this.ask("getInflightFd", inflight(wanted, 24));
      const mmapSize = Number(payload.readBigUInt64LE(0));
      this.inflight = { fd: fds[0]!, description: { ...wanted, mmapSize } };
    }
    await this.check("setInflightFd", inflight(this.inflight.description, 24), [this.inflight.fd]);
  }

  /**
   * @param options.earlier driver of a ring to go on with
   * @param options.log changes are logged there; it is set after the ring was started and before it is enabled, as QEMU does
   */
  async startQueue(
    index: number,
    size: number,
    { earlier, log }: { earlier?: DriverRing | undefined; log?: MigrationLog } = {},
  ): Promise<DriverRing> {
    const at = index * ringBytes(size);
    const eventIdx = (this.features & ringFeature.eventIdx) !== 0n;
    const ring = new DriverRing(this, { at, size, eventIdx, kick: createEvent(), call: createEvent() });
    if (earlier !== undefined) ring.resume(earlier);
    this.queues[index]?.[Symbol.dispose]();
    this.queues[index] = ring;
    await this.check("setVringNum", vringState({ index, num: size }));
    await this.check("setVringBase", vringState({ index, num: earlier === undefined ? 0 : ring.usedIdx }));
    await this.check("setVringAddr", this.ringAddresses(index, size, log !== undefined));
    await this.check("setVringKick", u64(index), [ring.kickFd]);
    await this.check("setVringCall", u64(index), [ring.callFd]);
    if (log !== undefined) await this.ask("setLogBase", log.description(), [log.fd]);
    await this.check("setVringEnable", vringState({ index, num: 1 }));
    return ring;
  }

  /** @param logged changes of the used entries are */
  ringAddresses(index: number, size: number, logged = false): Buffer {
    const payload = Buffer.alloc(40);
    const at = userBase + index * ringBytes(size);
    payload.writeUInt32LE(index, 0);
    payload.writeUInt32LE(logged ? 1 : 0, 4);
    payload.writeBigUInt64LE(BigInt(at), 8);
    payload.writeBigUInt64LE(BigInt(at + 16 * size + 4096), 16);
    payload.writeBigUInt64LE(BigInt(at + 16 * size), 24);
    payload.writeBigUInt64LE(BigInt(this.guestAddress(this.usedAt(index, size))), 32);
    return payload;
  }

  /** Where in `memory` the used entries of a ring begin. */
  usedAt(index: number, size: number): number {
    return index * ringBytes(size) + 16 * size + 4096;
  }

  /** Stops a ring; the promise is fulfilled with its next index when nothing of it is under way. */
  async stopQueue(index: number): Promise<number> {
    return (await this.ask("getVringBase", vringState({ index, num: 0 }))).payload.readUInt32LE(4);
  }

  async config(): Promise<Buffer> {
    const payload = Buffer.alloc(12 + 60);
    payload.writeUInt32LE(60, 4);
    return (await this.ask("getConfig", payload)).payload.subarray(12);
  }

  async setConfig(offset: number, bytes: Buffer): Promise<boolean> {
    const payload = Buffer.concat([Buffer.alloc(12), bytes]);
    payload.writeUInt32LE(offset, 0);
    payload.writeUInt32LE(bytes.length, 4);
    return this.accepted("setConfig", payload);
  }

  get hasDiscard(): boolean {
    return (this.features & blkFeature.discard) !== 0n;
  }

  /** A message without an answer. */
  tell(name: keyof typeof requestCode, payload: Buffer = Buffer.alloc(0), fds: number[] = []): void {
    this.channel.request(requestCode[name], payload, fds);
  }

  /** A message with an answer of its own. */
  ask(
    name: keyof typeof requestCode,
    payload: Buffer = Buffer.alloc(0),
    fds: number[] = [],
  ): Promise<Message> {
    this.channel.request(requestCode[name], payload, fds);
    return this.#reply();
  }

  /** A message that is acknowledged; whether it was accepted. */
  async accepted(name: keyof typeof requestCode, payload: Buffer, fds: number[] = []): Promise<boolean> {
    this.channel.request(requestCode[name], payload, fds, true);
    return (await this.#reply()).payload.readBigUInt64LE() === 0n;
  }

  async check(name: keyof typeof requestCode, payload: Buffer, fds: number[] = []): Promise<void> {
    if (!(await this.accepted(name, payload, fds))) throw new Error(`the back-end refused ${name}`);
  }

  kick(index: number): void {
    signalEvent(this.queues[index]!.kickFd);
  }

  /** Hangs up; the memory stays for who resumes. */
  disconnect(): void {
    this.channel.close();
    this.#requests?.close();
    for (const ring of this.queues) ring[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.disconnect();
    this.#mapping[Symbol.dispose]();
    closeQuietly(this.memoryFd);
    if (this.inflight !== undefined) closeQuietly(this.inflight.fd);
  }

  #reply(): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#replies.push(resolve);
    void this.gone.promise.then(() => reject(new Error("the back-end hung up")));
    return promise;
  }
}

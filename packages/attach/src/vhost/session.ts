import { AttachError } from "../errors.ts";
import { Backend, type BackendOptions } from "./backend.ts";
import { blkFeature, configSpace, offeredFeatures, writebackAt } from "./blk/config-space.ts";
import { InflightMemory } from "./inflight-memory.ts";
import { mostRegions } from "./memory/guest-memory.ts";
import { MemoryRegion } from "./memory/region.ts";
import { adoptEvent, closeQuietly } from "./native/event.ts";
import { adoptSocket } from "./native/socket.ts";
import { Channel, type Message } from "./protocol/channel.ts";
import {
  backendRequestCode,
  protocolFeature,
  type RequestName,
  requestName,
  ringFeature,
} from "./protocol/codes.ts";
import * as payloads from "./protocol/payloads.ts";

export interface SessionOptions extends BackendOptions {
  /** Of the guest's disk, in bytes: 512 or 4096. */
  blockSize: number;
  /** Milliseconds that a front-end waits at most for what is under way when it stops its rings. */
  patience: number;
}

const { malformed } = payloads;
const offeredProtocolFeatures = Object.values(protocolFeature).reduce((all, bit) => all | bit);
/** Of a ring's addresses: that changes of its used entries are to be logged. */
const logFlag = 1;
/** Of an access to the configuration space: it is the driver's. */
const byDriver = 0;

/** A message's answer: a payload, with a descriptor beside it. */
type Answer = Buffer | { payload: Buffer; fd: number } | undefined;

/**
 * One front-end's connection, from its first message until it leaves. What a front-end sends may end its own session, and nothing else.
 */
export class Session {
  /** Fulfilled when the front-end is gone and nothing of it is under way. */
  readonly over: Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #options: SessionOptions;
  readonly #backend: Backend;
  readonly #channel: Channel;
  readonly #offered: bigint;
  readonly #resizes: Disposable;
  #protocolFeatures = 0n;
  #requests: Channel | undefined;
  #inflight: InflightMemory | undefined;
  #closing = false;
  #stopsUntil = 0;

  /** Owns the connected socket from now on. */
  constructor(fd: number, options: SessionOptions) {
    this.over = this.#over.promise;
    this.#options = options;
    this.#backend = new Backend(options);
    this.#offered = offeredFeatures(options.device);
    this.#resizes = options.device.onResize(() => this.#tellOfChange());
    this.#channel = new Channel(fd, {
      message: (message) => this.#receive(message),
      closed: (error) => void this.#leave(error),
    });
  }

  /** Finishes what is under way and gives it back to the driver, then hangs up: the front-end may connect again. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      await Promise.all(this.#backend.queues.map((queue) => queue.stop()));
      this.#channel.close();
    }
    await this.over;
  }

  async #leave(error: Error | undefined): Promise<void> {
    this.#closing = true;
    this.#resizes[Symbol.dispose]();
    this.#requests?.close();
    const drained = this.#backend.detach();
    this.#options.report({ type: "disconnected", error });
    await drained;
    this.#inflight?.[Symbol.dispose]();
    this.#over.resolve();
  }

  #receive(message: Message): Promise<void> | undefined {
    const name = requestName(message.request);
    if (name === "getVringBase" || name === "resetDevice") return this.#receiveSlow(message, name);
    try {
      this.#answer(message, this.#handle(name, message));
    } catch (error) {
      this.#refuse(message, error as Error);
    } finally {
      for (const fd of message.fds) closeQuietly(fd);
    }
    return undefined;
  }

  /** What waits for requests that are under way. */
  async #receiveSlow(message: Message, name: "getVringBase" | "resetDevice"): Promise<void> {
    for (const fd of message.fds) closeQuietly(fd);
    try {
      if (name === "resetDevice") {
        await this.#backend.reset(this.#patience());
        this.#answer(message, undefined);
      } else {
        const { index } = payloads.readVringState(message.payload);
        const num = await this.#backend.queue(index).stop(this.#patience());
        this.#answer(message, payloads.vringState({ index, num }));
      }
    } catch (error) {
      this.#refuse(message, error as Error);
    }
  }

  /** A front-end stops its rings one after another, and the VM stands still meanwhile: it is patient once for all of them. */
  #patience(): number {
    const now = performance.now();
    if (now > this.#stopsUntil + 1000) this.#stopsUntil = now + this.#options.patience;
    return Math.max(0, this.#stopsUntil - now);
  }

  #answer(message: Message, answer: Answer): void {
    if (answer === undefined) {
      if (this.#wantsReply(message)) this.#channel.reply(message.request, payloads.u64(0));
    } else if (Buffer.isBuffer(answer)) this.#channel.reply(message.request, answer);
    else {
      this.#channel.reply(message.request, answer.payload, [answer.fd]);
      closeQuietly(answer.fd);
    }
  }

  /** A front-end that waits for a reply learns it from that; any other one would never know. */
  #refuse(message: Message, error: Error): void {
    if (this.#wantsReply(message)) {
      this.#options.report({ type: "refused", error });
      this.#channel.reply(message.request, payloads.u64(1));
    } else this.#channel.close(error);
  }

  #wantsReply(message: Message): boolean {
    return message.needReply && (this.#protocolFeatures & protocolFeature.replyAck) !== 0n;
  }

  #handle(name: RequestName | undefined, { request, payload, fds }: Message): Answer {
    const backend = this.#backend;
    switch (name) {
      case "getFeatures":
        return payloads.u64(this.#offered);
      case "setFeatures":
        return this.#setFeatures(payloads.readU64(payload));
      case "getProtocolFeatures":
        return payloads.u64(offeredProtocolFeatures);
      case "setProtocolFeatures":
        this.#protocolFeatures = offeredOnly(payloads.readU64(payload), offeredProtocolFeatures);
        return undefined;
      case "setOwner":
      case "resetOwner":
        return undefined;
      case "getQueueNum":
        return payloads.u64(backend.queues.length);
      case "getMaxMemSlots":
        return payloads.u64(mostRegions);
      case "setMemTable":
        return this.#setMemory(payloads.readMemoryTable(payload), fds);
      case "addMemReg":
        return this.#addRegion(payloads.readSingleRegion(payload), fds);
      case "remMemReg":
        return this.#removeRegion(payloads.readSingleRegion(payload));
      case "setVringNum":
      case "setVringBase":
      case "setVringEnable":
        return this.#setVring(name, payloads.readVringState(payload));
      case "setVringAddr": {
        const addresses = payloads.readVringAddresses(payload);
        if ((addresses.flags & logFlag) !== 0) throw noMigration();
        backend.queue(addresses.index).setAddresses(addresses);
        return undefined;
      }
      case "setVringKick":
      case "setVringCall":
      case "setVringErr":
        return this.#setVringEvent(name, payload, fds);
      case "setBackendReqFd":
        return this.#setRequests(fds);
      case "getConfig":
        return this.#getConfig(payload);
      case "setConfig":
        return this.#setConfig(payloads.readConfigAccess(payload));
      case "getInflightFd": {
        const { fd, description } = InflightMemory.create(payloads.readInflight(payload));
        return { payload: payloads.inflight(description, payload.length), fd };
      }
      case "setInflightFd":
        return this.#setInflight(payloads.readInflight(payload), fds);
      case "setLogBase":
      case "setLogFd":
        throw noMigration();
      default:
        throw new AttachError(
          "SIPHON_ATTACH_PROTOCOL",
          `the front-end asked for what is not offered: request ${request}`,
        );
    }
  }

  #setFeatures(features: bigint): undefined {
    if ((features & ringFeature.logAll) !== 0n) throw noMigration();
    this.#backend.setFeatures(offeredOnly(features, this.#offered));
  }

  #setMemory(regions: payloads.RegionDescription[], fds: number[]): undefined {
    this.#useRegions([], regions, fds);
  }

  #addRegion(region: payloads.RegionDescription, fds: number[]): undefined {
    this.#useRegions(this.#backend.memory.regions, [region], fds);
  }

  /** Maps regions and takes them as the guest's memory beside those that are kept; all of them or none. */
  #useRegions(
    kept: readonly MemoryRegion[],
    added: readonly payloads.RegionDescription[],
    fds: readonly number[],
  ): void {
    if (fds.length !== added.length) throw malformed(`${fds.length} descriptors for ${added.length} regions`);
    const mapped: MemoryRegion[] = [];
    try {
      for (const [index, region] of added.entries()) mapped.push(new MemoryRegion(fds[index]!, region));
      this.#backend.setMemory([...kept, ...mapped]);
    } finally {
      for (const region of mapped) region.release();
    }
  }

  #removeRegion({ guestAddress, userAddress, size }: payloads.RegionDescription): undefined {
    const { regions } = this.#backend.memory;
    const rest = regions.filter(({ description: each }) => {
      return each.guestAddress !== guestAddress || each.userAddress !== userAddress || each.size !== size;
    });
    if (rest.length === regions.length) throw malformed("the removal of memory that it never gave");
    this.#backend.setMemory(rest);
  }

  #setVring(
    name: "setVringNum" | "setVringBase" | "setVringEnable",
    { index, num }: payloads.VringState,
  ): undefined {
    const queue = this.#backend.queue(index);
    if (name === "setVringNum") queue.setSize(num);
    else if (name === "setVringBase") queue.setBase(num);
    else queue.setEnabled(num !== 0);
  }

  #setVringEvent(
    name: "setVringKick" | "setVringCall" | "setVringErr",
    payload: Buffer,
    fds: number[],
  ): undefined {
    const { index, hasFd } = payloads.readVringFd(payload);
    const queue = this.#backend.queue(index);
    const fd = hasFd ? takeEventFd(fds) : undefined;
    if (name === "setVringKick") queue.setKick(fd);
    else if (name === "setVringCall") queue.setCall(fd);
    else queue.setError(fd);
  }

  /** An answer without a payload says that the question made no sense. */
  #getConfig(payload: Buffer): Buffer {
    const { offset, size } = payloads.readConfigAccess(payload);
    const { blockSize, device } = this.#options;
    const { queues, writeback } = this.#backend;
    const config = configSpace(device, { blockSize, queues: queues.length, writeback });
    if (offset > config.length) return Buffer.alloc(0);
    const answer = Buffer.from(payload);
    answer.fill(0, 12);
    config.copy(answer, 12, offset, Math.min(config.length, offset + size));
    return answer;
  }

  /** The only field that a driver may write, if any, is whether writes may wait for a flush. */
  #setConfig({ offset, size, flags, bytes }: payloads.ConfigAccess): undefined {
    if (flags !== byDriver) throw noMigration();
    const writable = (this.#offered & blkFeature.configWce) !== 0n;
    if (!writable || offset !== writebackAt || size !== 1)
      throw malformed("a change of a field that is read only");
    this.#backend.writeback = bytes[0] !== 0;
  }

  #setInflight(description: payloads.InflightDescription, fds: number[]): undefined {
    if (fds.length !== 1) throw malformed("an inflight area without a descriptor");
    const { queues } = this.#backend;
    if (queues.some((queue) => queue.started)) throw malformed("an inflight area for rings that run");
    const memory = new InflightMemory(fds[0]!, description);
    for (const [index, queue] of queues.entries()) queue.setInflight(memory.area(index));
    this.#inflight?.[Symbol.dispose]();
    this.#inflight = memory;
  }

  /** The socket on which this side may ask; what comes back on it is not waited for. */
  #setRequests(fds: number[]): undefined {
    if (fds.length === 1) adoptSocket(fds[0]!);
    const fd = takeFd(fds);
    this.#requests?.close();
    this.#requests = new Channel(fd, {
      message: (reply) => {
        for (const fd of reply.fds) closeQuietly(fd);
        return undefined;
      },
      closed: () => {},
    });
  }

  #tellOfChange(): void {
    this.#requests?.request(backendRequestCode.configChange, Buffer.alloc(0));
  }
}

function offeredOnly(wanted: bigint, offered: bigint): bigint {
  if ((wanted & ~offered) === 0n) return wanted;
  throw malformed(`features that were not offered: 0x${(wanted & ~offered).toString(16)}`);
}

/** The only descriptor of a message; its channel or ring closes it from now on. */
function takeFd(fds: number[]): number {
  if (fds.length !== 1) throw malformed(`${fds.length} descriptors where one belongs`);
  return fds.pop()!;
}

function takeEventFd(fds: number[]): number {
  if (fds.length === 1) adoptEvent(fds[0]!);
  return takeFd(fds);
}

function noMigration(): AttachError {
  return new AttachError("SIPHON_ATTACH_UNSUPPORTED", "a VM with this disk cannot migrate while it runs", {
    hint: "shut the VM down, and start it on the other host",
  });
}

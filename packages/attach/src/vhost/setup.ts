import { AttachError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { blkFeature, configSpace, offeredFeatures, writebackAt } from "./blk/config-space.ts";
import { InflightMemory } from "./inflight-memory.ts";
import { DirtyLog } from "./memory/dirty-log.ts";
import { mostRegions } from "./memory/guest-memory.ts";
import { MemoryRegion } from "./memory/region.ts";
import { adoptEvent } from "./native/event.ts";
import type { Message } from "./protocol/channel.ts";
import { protocolFeature, type RequestName } from "./protocol/codes.ts";
import * as payloads from "./protocol/payloads.ts";
import type { Answer, SessionSetup } from "./session-setup.ts";

const { malformed } = payloads;
const offeredProtocolFeatures = Object.values(protocolFeature).reduce((all, bit) => all | bit);
/** Type of an access to the configuration space: by the driver. */
const byDriver = 0;

/** Applies a front-end's messages to the device, in this thread: features, memory, rings, configuration. */
export class Setup implements SessionSetup {
  readonly #backend: Backend;
  readonly #blockSize: number;
  readonly #offered: bigint;
  #protocolFeatures = 0n;
  #inflight: InflightMemory | undefined;

  /** @param blockSize of the guest's disk, in bytes */
  constructor(backend: Backend, blockSize: number) {
    this.#backend = backend;
    this.#blockSize = blockSize;
    this.#offered = offeredFeatures(backend.device);
  }

  /** Whether the front-end may ask for a reply to each message. */
  get acknowledges(): boolean {
    return (this.#protocolFeatures & protocolFeature.replyAck) !== 0n;
  }

  async finish(): Promise<void> {
    await Promise.all(this.#backend.queues.map((queue) => queue.stop()));
  }

  async leave(): Promise<void> {
    await this.#backend.detach();
    this.#inflight?.[Symbol.dispose]();
  }

  onResize(listener: () => void): Disposable {
    return this.#backend.device.onResize(listener);
  }

  handle(
    name: RequestName | undefined,
    { request, payload, fds }: Message,
    patience: () => number,
  ): Answer | Promise<Answer> {
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
      case "getVringBase":
        return this.#stop(payloads.readVringState(payload).index, patience());
      case "resetDevice":
        return this.#reset(patience());
      case "setVringAddr": {
        const addresses = payloads.readVringAddresses(payload);
        backend.queue(addresses.index).setAddresses(addresses);
        return undefined;
      }
      case "setVringKick":
      case "setVringCall":
      case "setVringErr":
        return this.#setVringEvent(name, payload, fds);
      case "getConfig":
        return this.#getConfig(payload);
      case "setConfig":
        return this.#setConfig(payloads.readConfigAccess(payload));
      case "getInflightFd": {
        const wanted = payloads.readInflight(payload);
        const { fd, description } = InflightMemory.create(wanted, backend.queues.length);
        return { payload: payloads.inflight(description, payload.length), fd };
      }
      case "setInflightFd":
        return this.#setInflight(payloads.readInflight(payload), fds);
      case "setLogBase":
        return this.#setLog(payloads.readLog(payload), fds);
      case "setLogFd":
        backend.changes.setEvent(takeEventFd(fds));
        return undefined;
      default:
        throw new AttachError(
          "SIPHON_ATTACH_PROTOCOL",
          `the front-end sent a request that was not negotiated: ${request}`,
        );
    }
  }

  #setFeatures(features: bigint): undefined {
    this.#backend.setFeatures(offeredOnly(features, this.#offered));
  }

  #setMemory(regions: payloads.RegionDescription[], fds: number[]): undefined {
    this.#useRegions([], regions, fds);
  }

  #addRegion(region: payloads.RegionDescription, fds: number[]): undefined {
    this.#useRegions(this.#backend.memory.regions, [region], fds);
  }

  /** Maps regions and adds them to the kept ones as the guest's memory; all or none. */
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
    if (rest.length === regions.length) throw malformed("the removal of memory that it did not add");
    this.#backend.setMemory(rest);
  }

  /** The front-end always waits for this answer: it frees the old log afterwards. */
  #setLog(description: payloads.LogDescription, fds: number[]): Buffer {
    if ((this.#protocolFeatures & protocolFeature.logShmfd) === 0n)
      throw malformed("a log without negotiating LOG_SHMFD");
    if (fds.length !== 1) throw malformed("a log without a descriptor");
    this.#backend.setLog(new DirtyLog(fds[0]!, description));
    return payloads.u64(0);
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

  async #stop(index: number, patience: number): Promise<Buffer> {
    return payloads.vringState({ index, num: await this.#backend.stop(index, patience) });
  }

  async #reset(patience: number): Promise<undefined> {
    await this.#backend.reset(patience);
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

  /** An answer without a payload reports an invalid request. */
  #getConfig(payload: Buffer): Buffer {
    const { offset, size } = payloads.readConfigAccess(payload);
    const { device, queues, writeback } = this.#backend;
    const blockSize = this.#blockSize;
    const config = configSpace(device, { blockSize, queues: queues.length, writeback });
    if (offset > config.length) return Buffer.alloc(0);
    const answer = Buffer.from(payload);
    answer.fill(0, 12);
    config.copy(answer, 12, offset, Math.min(config.length, offset + size));
    return answer;
  }

  /** The driver may write only `writeback`, and only if CONFIG_WCE was offered. */
  #setConfig({ offset, size, flags, bytes }: payloads.ConfigAccess): undefined {
    if (flags !== byDriver) throw malformed("a change of the configuration that is not from the driver");
    const writable = (this.#offered & blkFeature.configWce) !== 0n;
    if (!writable || offset !== writebackAt || size !== 1) throw malformed("a change of a read-only field");
    this.#backend.writeback = bytes[0] !== 0;
  }

  #setInflight(description: payloads.InflightDescription, fds: number[]): undefined {
    if (fds.length !== 1) throw malformed("an inflight area without a descriptor");
    const { queues } = this.#backend;
    if (queues.some((queue) => queue.started)) throw malformed("an inflight area for running rings");
    const memory = new InflightMemory(fds[0]!, description, queues.length);
    for (const queue of queues) queue.setInflight(memory);
    this.#inflight?.[Symbol.dispose]();
    this.#inflight = memory;
  }
}

function offeredOnly(wanted: bigint, offered: bigint): bigint {
  if ((wanted & ~offered) === 0n) return wanted;
  throw malformed(`features that were not offered: 0x${(wanted & ~offered).toString(16)}`);
}

/** Takes the only descriptor of a message; the caller must close it. */
export function takeFd(fds: number[]): number {
  if (fds.length !== 1) throw malformed(`${fds.length} descriptors instead of one`);
  return fds.pop()!;
}

function takeEventFd(fds: number[]): number {
  if (fds.length === 1) adoptEvent(fds[0]!);
  return takeFd(fds);
}

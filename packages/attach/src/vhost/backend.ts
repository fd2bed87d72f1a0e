import type { BlockDevice } from "../block-device.ts";
import type { ByteBudget } from "../server/byte-budget.ts";
import type { IoMetrics } from "../server/io-metrics.ts";
import { blkFeature } from "./blk/config-space.ts";
import type { BlkRequest } from "./blk/request.ts";
import { ChangeLog } from "./change-log.ts";
import type { VhostEvent } from "./events.ts";
import type { DirtyLog } from "./memory/dirty-log.ts";
import { GuestMemory } from "./memory/guest-memory.ts";
import type { MemoryRegion } from "./memory/region.ts";
import { ringFeature } from "./protocol/codes.ts";
import { malformed } from "./protocol/payloads.ts";
import { Queue } from "./queue.ts";
import type { QueueHost } from "./queue-host.ts";
import { Turns } from "./turns.ts";

export interface BackendOptions {
  device: BlockDevice;
  metrics: IoMetrics;
  serial: string;
  queues: number;
  /** The process's. */
  budget: ByteBudget;
  /** Called when rings begin to run, and when all of them have been stopped. */
  use?: { begin(): void; end(): void } | undefined;
  report: (event: VhostEvent) => void;
}

/** With this many requests in flight their completions keep the rings looked at: no kicks are needed then. */
const busyRequests = 8;
/** Bytes that one front-end may have under way; a request that begins within it may go beyond. */
const mostUnderWay = 64 << 20;
/** Requests that are kept for use again, and pieces of a chain that one may remember meanwhile. */
const mostIdle = 4096;
const mostPieces = 256;

/** The device as one front-end set it up: the guest's memory, the rings, and what the driver agreed to. */
export class Backend implements QueueHost {
  readonly device: BlockDevice;
  readonly metrics: IoMetrics;
  readonly serial: string;
  readonly pool: BlkRequest[] = [];
  readonly queues: readonly Queue[];
  memory = new GuestMemory();
  eventIdx = false;
  indirect = false;
  /** Cache mode shown to the driver, which may choose where it makes no difference. */
  writeback: boolean;
  flushesWrites = false;
  readonly changes = new ChangeLog();
  readonly #use: BackendOptions["use"];
  readonly #report: (event: VhostEvent) => void;
  readonly #turns: Turns;
  readonly #drained = Promise.withResolvers<void>();
  #detached = false;
  readonly #budget: ByteBudget;
  #underWay = 0;
  /** Bytes charged for the requests in flight. */
  #cost = 0;
  /** Looked at first in the next turn, so that no ring takes all the room that there is. */
  #firstQueue = 0;
  #orphans = 0;

  constructor({ device, metrics, serial, queues, budget, use, report }: BackendOptions) {
    this.device = device;
    this.writeback = device.volatile;
    this.metrics = metrics;
    this.serial = serial;
    this.#use = use;
    this.#report = report;
    this.#budget = budget;
    this.queues = Array.from({ length: queues }, (_, index) => new Queue(this, index));
    this.#turns = new Turns(() => {
      let found = false;
      const { length } = this.queues;
      for (let i = 0; i < length; i++) if (this.queues[(this.#firstQueue + i) % length]!.turn()) found = true;
      if (!this.admits) this.#firstQueue = (this.#firstQueue + 1) % length;
      return found;
    });
  }

  readonly orphans = {
    adopt: (request: BlkRequest): void => {
      this.#orphans++;
      this.changes.marks?.markAll(request.chain.writable);
      request.orphan(this.orphans);
    },
    done: (request: BlkRequest): void => {
      this.#orphans--;
      this.recycle(request);
      this.ended(request.cost);
      if (this.#orphans === 0) this.turnSoon();
    },
    any: () => this.#orphans > 0,
  };

  get busy(): boolean {
    return this.#underWay >= busyRequests;
  }

  /** Features that the driver and the front-end agreed on. */
  setFeatures(features: bigint): void {
    this.eventIdx = (features & ringFeature.eventIdx) !== 0n;
    this.indirect = (features & ringFeature.indirectDesc) !== 0n;
    // A driver that does not know how to flush must not need to.
    this.flushesWrites = this.device.volatile && (features & blkFeature.flush) === 0n;
    this.#logChanges((features & ringFeature.logAll) !== 0n);
    if ((features & ringFeature.protocolFeatures) !== 0n) return;
    for (const queue of this.queues) queue.setEnabled(true);
  }

  queue(index: number): Queue {
    const queue = this.queues[index];
    if (queue === undefined)
      throw malformed(`ring index ${index} for a device with ${this.queues.length} rings`);
    return queue;
  }

  /**
   * Takes memory for marks of what is changed.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL for one that is too short
   */
  setLog(log: DirtyLog): void {
    try {
      if (!this.memory.isCoveredBy(log)) throw tooShort();
      for (const queue of this.queues) queue.checkLog(log);
    } catch (error) {
      log[Symbol.dispose]();
      throw error;
    }
    this.changes.setMemory(log);
    for (const queue of this.queues) queue.logged();
  }

  /** Takes a new memory table; requests that were begun go on with the old one. */
  setMemory(regions: readonly MemoryRegion[]): void {
    const before = this.memory;
    const memory = new GuestMemory(regions);
    const { marks } = this.changes;
    if (marks !== undefined && !memory.isCoveredBy(marks)) {
      memory.release();
      throw malformed("memory beyond the end of the log");
    }
    this.memory = memory;
    for (const queue of this.queues) queue.remap();
    before.release();
  }

  started(): void {
    this.#use?.begin();
  }

  /** Stops a ring; see `Queue.stop`. */
  async stop(index: number, patience: number): Promise<number> {
    const base = await this.queue(index).stop(patience);
    this.#stopped();
    return base;
  }

  /** Stops every ring, for the driver to begin again. */
  async reset(patience: number): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stop(patience)));
    for (const queue of this.queues) queue.setEnabled(false);
    this.#stopped();
  }

  /** Lets go of the guest: nothing of its memory is read or written any more. Fulfilled when nothing is under way. */
  detach(): Promise<void> {
    if (!this.#detached) {
      this.#detached = true;
      this.#budget.forget(this.#thereIsRoom);
      this.#turns[Symbol.dispose]();
      for (const queue of this.queues) queue.abandon();
      this.changes[Symbol.dispose]();
      this.memory.release();
      this.#settle();
    }
    return this.#drained.promise;
  }

  get admits(): boolean {
    return this.#cost < mostUnderWay && this.#budget.admits(this.#cost);
  }

  waitForRoom(): void {
    // Its own requests make room when they end.
    if (this.#underWay === 0) this.#budget.whenFree(this.#thereIsRoom);
  }

  begun(cost: number): void {
    this.#underWay++;
    this.#cost += cost;
    this.#budget.take(cost);
  }

  ended(cost: number): void {
    this.#underWay--;
    this.#cost -= cost;
    this.#budget.give(cost);
    this.#settle();
  }

  recycle(request: BlkRequest): void {
    if (this.pool.length >= mostIdle || request.chain.pieces > mostPieces) return;
    this.pool.push(request);
  }

  readonly #thereIsRoom = (): void => this.turnSoon();

  turnSoon(): void {
    this.#turns.soon();
  }

  watch(): void {
    this.#turns.watch();
  }

  fault(queue: number, reason: string): void {
    this.#report({ type: "fault", queue, reason });
  }

  /** Rings are enabled after both have come: the wish, and memory for it. */
  #logChanges(wanted: boolean): void {
    const { memory } = this.changes;
    if (wanted && memory !== undefined && !this.memory.isCoveredBy(memory)) throw tooShort();
    this.changes.want(wanted);
    for (const queue of this.queues) queue.logged();
  }

  /** A front-end that hung up has stopped nothing. */
  #stopped(): void {
    if (!this.#detached && !this.queues.some((queue) => queue.started)) this.#use?.end();
  }

  #settle(): void {
    if (this.#detached && this.#underWay === 0) this.#drained.resolve();
  }
}

function tooShort(): Error {
  return malformed("a log too short for the guest's memory");
}

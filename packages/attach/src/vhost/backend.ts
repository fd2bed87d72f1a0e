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
  /** Called when the first ring starts, and when all rings have stopped. */
  use?: { begin(): void; end(): void } | undefined;
  orphans?: SharedOrphans | undefined;
  report: (event: VhostEvent) => void;
}

/**
 * Requests in flight whose rings were stopped without waiting for them, of all threads that serve the guest's rings. None of the threads
 * begins a request before these are done.
 */
export interface SharedOrphans {
  /** Shared memory: the number of these requests. */
  readonly count: Int32Array;
  /** The last one is done: `turnSoon` of the backends of all threads must be called. */
  gone(): void;
}

/** With this many requests in flight, completions cause enough checks of the rings, so kicks are suppressed. */
const busyRequests = 8;
/** Bytes that one front-end may have in flight; a request that begins within the limit may exceed it. */
const mostUnderWay = 64 << 20;
/** Number of pooled requests, and the pieces of a chain that a pooled request may keep. */
const mostIdle = 4096;
const mostPieces = 256;

/** The device as one front-end has set it up: the guest's memory, the rings, and the negotiated features. */
export class Backend implements QueueHost {
  readonly device: BlockDevice;
  readonly metrics: IoMetrics;
  readonly serial: string;
  readonly pool: BlkRequest[] = [];
  readonly queues: readonly Queue[];
  memory = new GuestMemory();
  eventIdx = false;
  indirect = false;
  /** Cache mode shown to the driver, which may change it if the device has no volatile cache. */
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
  /** The first ring to check in the next turn, so that no ring takes all the room. */
  #firstQueue = 0;
  readonly #orphans: SharedOrphans;

  constructor({ device, metrics, serial, queues, budget, use, orphans, report }: BackendOptions) {
    this.device = device;
    this.writeback = device.volatile;
    this.metrics = metrics;
    this.serial = serial;
    this.#use = use;
    this.#report = report;
    this.#budget = budget;
    this.#orphans = orphans ?? { count: new Int32Array(1), gone: () => this.turnSoon() };
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
      Atomics.add(this.#orphans.count, 0, 1);
      this.changes.marks?.markAll(request.chain.writable);
      request.orphan(this.orphans);
    },
    done: (request: BlkRequest): void => {
      const left = Atomics.sub(this.#orphans.count, 0, 1) - 1;
      this.recycle(request);
      this.ended(request.cost);
      if (left === 0) this.#orphans.gone();
    },
    any: () => Atomics.load(this.#orphans.count, 0) > 0,
  };

  get busy(): boolean {
    return this.#underWay >= busyRequests;
  }

  /** The negotiated features. */
  setFeatures(features: bigint): void {
    this.eventIdx = (features & ringFeature.eventIdx) !== 0n;
    this.indirect = (features & ringFeature.indirectDesc) !== 0n;
    // A driver without the flush feature must not need it.
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
   * Sets the memory in which changed pages are marked.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL if it is too short
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

  /** Sets a new memory table; requests in flight keep the old one. */
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

  /** Stops all rings; the driver starts over. */
  async reset(patience: number): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.stop(patience)));
    for (const queue of this.queues) queue.setEnabled(false);
    this.#stopped();
  }

  /** Detaches from the guest: its memory is no longer read or written. Resolves when no request is in flight. */
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
    // Completions of its own requests make room.
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

  /** Marking starts when both are set: the feature, and the memory for the log. */
  #logChanges(wanted: boolean): void {
    const { memory } = this.changes;
    if (wanted && memory !== undefined && !this.memory.isCoveredBy(memory)) throw tooShort();
    this.changes.want(wanted);
    for (const queue of this.queues) queue.logged();
  }

  /** A front-end that disconnected has not stopped its rings. */
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

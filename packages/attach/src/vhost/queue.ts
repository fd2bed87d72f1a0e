import { BlkRequest, type RequestQueue } from "./blk/request.ts";
import { checkUsedEntries } from "./change-log.ts";
import type { InflightMemory } from "./inflight-memory.ts";
import type { DirtyLog } from "./memory/dirty-log.ts";
import { malformed, type VringAddresses } from "./protocol/payloads.ts";
import type { QueueHost } from "./queue-host.ts";
import { RingEvents } from "./ring/events.ts";
import type { InflightArea } from "./ring/inflight.ts";
import { mostDescriptors, SplitRing } from "./ring/split-ring.ts";

/** Maximum number of requests to begin before other work of the process. */
const budget = 256;

/** One ring: takes its requests and returns them in batches. */
export class Queue implements RequestQueue {
  readonly #host: QueueHost;
  readonly #index: number;
  #size = 0;
  #base = 0;
  #addresses: VringAddresses | undefined;
  #enabled = false;
  readonly #events = new RingEvents(() => this.turn());
  #ring: SplitRing | undefined;
  #inflightMemory: InflightMemory | undefined;
  /** Inflight area of the running ring. */
  #inflight: InflightArea | undefined;
  /** By head: each head is in flight at most once. */
  #requests: (BlkRequest | undefined)[] = [];
  #resubmit: number[] = [];
  #underWay = 0;
  #broken = false;
  #suppressed = false;
  #again = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(host: QueueHost, index: number) {
    this.#host = host;
    this.#index = index;
  }

  /** Whether the ring is started. */
  get started(): boolean {
    return this.#ring !== undefined;
  }

  setSize(size: number): void {
    this.#refuseStarted();
    if (size === 0 || size > mostDescriptors || (size & (size - 1)) !== 0) {
      throw malformed(`a ring of ${size} descriptors`);
    }
    this.#size = size;
  }

  setBase(base: number): void {
    this.#refuseStarted();
    if (base > 0xffff) throw malformed(`the ring index ${base}`);
    this.#base = base;
  }

  /** Also allowed on a started ring: the same memory may have moved to other addresses. */
  setAddresses(addresses: VringAddresses): void {
    const { marks } = this.#host.changes;
    if (marks !== undefined) checkUsedEntries(marks, addresses, this.#size);
    this.#addresses = addresses;
    if (this.#ring === undefined) return;
    this.remap();
    this.logged();
  }

  /** @throws AttachError SIPHON_ATTACH_PROTOCOL if the log is too short for the ring */
  checkLog(log: DirtyLog): void {
    if (this.#addresses !== undefined) checkUsedEntries(log, this.#addresses, this.#size);
  }

  /**
   * Logging begins, or the log moves: marks the whole ring, because earlier changes may be unmarked or their marks
   * lost.
   */
  logged(): void {
    if (this.#ring !== undefined) this.#logUsed(this.#ring);
  }

  /** Sets the memory in which rings record their requests in flight, from their next start. */
  setInflight(memory: InflightMemory): void {
    this.#refuseStarted();
    this.#inflightMemory = memory;
  }

  /** Starts the ring. Without a descriptor the driver does not kick, and the ring is polled. */
  setKick(fd: number | undefined): void {
    this.#events.setKick(fd);
    if (this.#ring === undefined) this.#start();
    this.#events.listen();
    this.turn();
  }

  setCall(fd: number | undefined): void {
    this.#events.setCall(fd);
    // The driver may have missed the notification of earlier completions.
    if (this.#ring !== undefined) this.#events.call();
  }

  setError(fd: number | undefined): void {
    this.#events.setError(fd);
  }

  setEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    this.turn();
  }

  /**
   * Takes no more requests; resolves to the ring's next index when none is in flight.
   *
   * @param patience milliseconds. Requests not done by then stay in the inflight area, if there is one, and begin again
   * with the ring. For a guest that migrates the wait has no limit, because the inflight area stays behind
   */
  async stop(patience?: number): Promise<number> {
    this.#events.pause();
    this.#suppressed = false;
    const ring = this.#ring;
    if (ring === undefined) return this.#base;
    const migrates = this.#host.changes.marks !== undefined;
    if (migrates)
      while (this.#resubmit.length > 0 && !this.#broken) this.#begin(ring, this.#resubmit.shift()!);
    this.#drained ??= Promise.withResolvers<void>();
    if (this.#underWay === 0) this.#drained.resolve();
    const isPatient = patience === undefined || this.#inflight === undefined || migrates;
    const impatient = isPatient ? undefined : setTimeout(() => this.#orphanAll(), patience);
    await this.#drained.promise;
    clearTimeout(impatient);
    if (this.#ring === undefined) return this.#base;
    this.#publish();
    this.#base = (this.#ring.nextAvailable - this.#resubmit.length) & 0xffff;
    this.#forget();
    return this.#base;
  }

  /** Releases the ring and all descriptors; requests in flight end without an answer. */
  abandon(): void {
    this.#orphanAll();
    this.#forget();
    this.#events[Symbol.dispose]();
  }

  /** Locates the ring in a new memory table. */
  remap(): void {
    if (this.#ring === undefined) return;
    this.#publish();
    this.#base = this.#ring.nextAvailable;
    try {
      this.#ring = this.#openRing();
    } catch (error) {
      this.#forget();
      this.#break((error as Error).message);
    }
  }

  /** Returns completed requests and takes new ones; returns whether there were any. */
  turn(): boolean {
    const ring = this.#ring;
    if (ring === undefined) return false;
    this.#publish();
    if (!this.#enabled || this.#broken || this.#drained !== undefined || this.#host.orphans.any()) {
      this.#suppressed = false;
      return false;
    }
    const first = ring.nextAvailable;
    for (;;) {
      const stopped = this.#takeRequests(ring);
      this.#publish();
      if (stopped === "turn over") this.#turnAgain();
      else if (stopped === "no room") this.#waitForRoom(ring);
      if (stopped !== undefined || this.#broken || !this.#sleep(ring)) break;
    }
    return ring.nextAvailable !== first;
  }

  /** Requests that the driver adds meanwhile are taken when there is room again. */
  #waitForRoom(ring: SplitRing): void {
    this.#suppressKicks(ring);
    this.#host.waitForRoom();
  }

  /**
   * Asks the driver for a kick, unless the ring is checked anyway; returns whether more requests are waiting already.
   */
  #sleep(ring: SplitRing): boolean {
    if (this.#host.busy || !this.#events.kicks) {
      this.#suppressKicks(ring);
      this.#host.watch();
      return false;
    }
    this.#suppressed = false;
    ring.allowKicks();
    this.#logUsed(ring);
    return ring.waiting() > 0;
  }

  #suppressKicks(ring: SplitRing): void {
    if (this.#suppressed) return;
    this.#suppressed = true;
    ring.suppressKicks();
    this.#logUsed(ring);
  }

  done(request: BlkRequest, written: number): void {
    const { head } = request;
    this.#host.changes.marks?.markAll(request.chain.writable);
    this.#leave(request);
    this.#inflight?.giveBack(head);
    this.#ring?.putUsed(head, written);
    this.#host.turnSoon();
    if (this.#underWay === 0) this.#drained?.resolve();
  }

  #start(): void {
    if (this.#size === 0 || this.#addresses === undefined)
      throw malformed("a kick for a ring without addresses");
    const ring = this.#openRing();
    this.#inflight = this.#inflightMemory?.area(this.#index, this.#size);
    this.#ring = ring;
    this.#broken = false;
    this.#host.started();
    // The previous process may not have marked all changes.
    this.#logUsed(ring);
    this.#requests = new Array<undefined>(this.#size).fill(undefined);
    this.#resubmit = (this.#inflight?.resume(ring) ?? []).filter((head) => head < ring.size);
    if (this.#resubmit.length > 0) ring.nextAvailable = (ring.usedIdx + this.#resubmit.length) & 0xffff;
  }

  #openRing(): SplitRing {
    const { memory, eventIdx, changes } = this.#host;
    if (changes.marks !== undefined) checkUsedEntries(changes.marks, this.#addresses!, this.#size);
    return new SplitRing(memory, this.#addresses!, { size: this.#size, base: this.#base, eventIdx });
  }

  /** Returns why it stopped before the ring was empty; undefined when it did not. */
  #takeRequests(ring: SplitRing): "turn over" | "no room" | undefined {
    let left = budget;
    while (this.#resubmit.length > 0 && !this.#broken) {
      if (!this.#host.admits) return "no room";
      this.#begin(ring, this.#resubmit.shift()!);
    }
    for (let waiting = ring.waiting(); waiting > 0; waiting = ring.waiting()) {
      if (waiting > ring.size) {
        this.#break("an available index ahead of its ring");
        return undefined;
      }
      for (; waiting > 0; waiting--) {
        if (left-- === 0) return "turn over";
        if (!this.#host.admits) return "no room";
        const head = ring.takeHead();
        if (head >= ring.size || this.#requests[head] !== undefined) {
          this.#break(head < ring.size ? "a descriptor made available twice" : "a head outside the ring");
          return undefined;
        }
        this.#inflight?.begin(head);
        this.#begin(ring, head);
        if (this.#broken) return undefined;
      }
    }
    return undefined;
  }

  #begin(ring: SplitRing, head: number): void {
    const { pool, indirect, memory } = this.#host;
    const request = pool.pop() ?? new BlkRequest(this.#host);
    request.head = head;
    const fault = request.chain.walk(ring, indirect, memory, head);
    if (fault !== undefined) {
      this.#host.recycle(request);
      this.#inflight?.drop(head);
      this.#break(fault);
      return;
    }
    this.#requests[head] = request;
    this.#underWay++;
    this.#host.begun(request.estimate());
    request.hold(memory);
    if (!request.start(this)) {
      this.#leave(request);
      this.#inflight?.drop(head);
      this.#break("a request without a header or a status");
    }
  }

  #leave(request: BlkRequest): void {
    this.#requests[request.head] = undefined;
    this.#underWay--;
    request.release();
    this.#host.recycle(request);
    this.#host.ended(request.cost);
  }

  /** Drops the receivers of the requests in flight. */
  #orphanAll(): void {
    for (const [head, request] of this.#requests.entries()) {
      if (request === undefined) continue;
      this.#requests[head] = undefined;
      this.#host.orphans.adopt(request);
    }
    this.#underWay = 0;
    this.#drained?.resolve();
  }

  /** Publishes all completed requests, and notifies the driver if it asked for it. */
  #publish(): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    const before = ring.usedIdx;
    const tell = ring.publish();
    if (ring.usedIdx !== before) {
      this.#logUsed(ring);
      this.#inflight?.published(ring.usedIdx);
    }
    if (tell) this.#events.call();
  }

  #logUsed({ size }: SplitRing): void {
    this.#host.changes.markUsedEntries(this.#addresses!, size);
  }

  #turnAgain(): void {
    if (this.#again) return;
    this.#again = true;
    setImmediate(() => {
      this.#again = false;
      this.turn();
    });
  }

  /** The driver broke the protocol: the ring is not touched until it is started again. */
  #break(reason: string): void {
    this.#broken = true;
    this.#suppressed = false;
    this.#events.fail();
    this.#host.fault(this.#index, reason);
  }

  #forget(): void {
    this.#ring = undefined;
    this.#drained = undefined;
    this.#resubmit = [];
  }

  #refuseStarted(): void {
    if (this.#ring !== undefined) throw malformed("a change of a running ring");
  }
}

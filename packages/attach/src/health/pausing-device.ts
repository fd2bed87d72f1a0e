import type { ImageRequest } from "@siphon/rbd/engine";
import { errno, errnoName } from "@siphon/wire";
import type { BlockDevice } from "../block-device.ts";
import { DeviceLayer } from "../device-layer.ts";
import { ioKind } from "../server/io-metrics.ts";
import { HeldRequest, type RequestHolder } from "./held-request.ts";

/** The reaction to a full pool and to requests that exceed the client's timeout: see `PausingDevice`. */
export type ErrorPolicy = "report" | "pause";

/** The report of a pause. */
export interface PauseEvents {
  /** @param why `ENOSPC`, `EDQUOT` or `ETIMEDOUT` */
  paused(why: string): void;
  /** @param seconds that the pause took */
  resumed(seconds: number): void;
}

/**
 * A disk that pauses when there is no room or the cluster takes too long, as with QEMU's `werror=stop`, instead of
 * reporting an error that a guest's file system would not survive. It retries the failed request; meanwhile later
 * changes wait behind it, and reads continue. All other errors are reported at once.
 */
export class PausingDevice extends DeviceLayer implements RequestHolder {
  readonly #events: PauseEvents;
  readonly #idle: HeldRequest[] = [];
  #held: HeldRequest[] = [];
  /** The request that is retried for all that wait. */
  #probe: HeldRequest | undefined;
  #pausedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(device: BlockDevice, events: PauseEvents) {
    super(device);
    this.#events = events;
  }

  read(request: ImageRequest): void {
    this.begin(this.#requestFor(request, ioKind.read), ioKind.read);
  }

  write(request: ImageRequest): void {
    this.#change(this.#requestFor(request, ioKind.write));
  }

  flush(request: ImageRequest): void {
    this.#change(this.#requestFor(request, ioKind.flush));
  }

  discard(request: ImageRequest): void {
    this.#change(this.#requestFor(request, ioKind.discard));
  }

  writeZeroes(request: ImageRequest): void {
    this.#change(this.#requestFor(request, ioKind.writeZeroes));
  }

  ended(request: HeldRequest): void {
    const isProbe = request === this.#probe;
    if (isProbe) this.#probe = undefined;
    const why = passing.has(request.result) ? errnoName(request.result) : undefined;
    if (why !== undefined) {
      request.rewind();
      this.#hold(request, why, isProbe);
      return;
    }
    const outer = request.give();
    this.#idle.push(request);
    // Any other result means that the obstacle is gone.
    if (isProbe) this.#resume();
    outer.completed();
  }

  #requestFor(outer: ImageRequest, kind: number): HeldRequest {
    const request = this.#idle.pop() ?? new HeldRequest(this);
    request.begin(outer, kind);
    return request;
  }

  #change(request: HeldRequest): void {
    if (this.#pausedAt === undefined) this.begin(request, request.kind);
    else this.#held.push(request);
  }

  #hold(request: HeldRequest, why: string, isFirst: boolean): void {
    if (isFirst) this.#held.unshift(request);
    else this.#held.push(request);
    if (this.#pausedAt === undefined) {
      this.#pausedAt = performance.now();
      this.#events.paused(why);
    }
    if (this.#probe === undefined) this.#timer ??= setTimeout(() => this.#try(), retryAfter);
  }

  /** A read may succeed while writes still fail: a write is retried first. */
  #try(): void {
    this.#timer = undefined;
    const index = this.#held.findIndex(({ kind }) => kind !== ioKind.read && kind !== ioKind.flush);
    const [probe] = this.#held.splice(Math.max(0, index), 1);
    this.#probe = probe;
    if (probe !== undefined) this.begin(probe, probe.kind);
  }

  #resume(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const held = this.#held;
    const seconds = (performance.now() - this.#pausedAt!) / 1000;
    this.#held = [];
    this.#pausedAt = undefined;
    this.#events.resumed(seconds);
    for (const request of held) this.begin(request, request.kind);
  }
}

/** Temporary errors: no room in the cluster, an exceeded quota, no answer within the client's timeout. */
const passing: ReadonlySet<number> = new Set([-errno.ENOSPC, -errno.EDQUOT, -errno.ETIMEDOUT]);
/** Milliseconds between two tries. */
const retryAfter = 1000;

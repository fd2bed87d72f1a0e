import { StallWatch } from "../health/stall-watch.ts";
import { createLimits, type Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { logNotices } from "./notices.ts";
import type { SocketKeeper } from "./socket-keeper.ts";

/** Shared by all images that a process serves. */
export class Shared implements Disposable {
  readonly limits: Limits;
  readonly stalls: StallWatch;
  readonly keeper: SocketKeeper | undefined;
  readonly #notices: Disposable;

  /** @param maxInFlight bytes of requests that all VMs may have in flight; default 512 MiB */
  constructor(log: Log, maxInFlight?: number, keeper?: SocketKeeper) {
    this.limits = createLimits({ bytes: maxInFlight });
    this.stalls = new StallWatch(log);
    this.keeper = keeper;
    this.#notices = logNotices(log);
  }

  [Symbol.dispose](): void {
    this.stalls[Symbol.dispose]();
    this.#notices[Symbol.dispose]();
  }
}

import { channel } from "node:diagnostics_channel";
import type { RadosError } from "../errors.ts";

/** Published on the diagnostics channel `siphon:rados:mon`. */
export interface MonEvent {
  /**
   * A session began; a session was lost, or an attempt failed, and the client looks for another; new tickets arrived.
   */
  event: "session" | "hunting" | "tickets";
  /** `mon.a`, of the session. */
  mon?: string;
  /** The global id of this session; `Cluster.globalId` is that of the first one. */
  globalId?: bigint;
  /** Why there is no session. */
  error?: RadosError;
}

const events = channel("siphon:rados:mon");

export function publish(event: MonEvent): void {
  if (events.hasSubscribers) events.publish(event);
}

import { channel } from "node:diagnostics_channel";
import type { RadosError } from "../errors.ts";

/** Published on the diagnostics channel `siphon:rados:mon`. */
export interface MonEvent {
  /** A session began; it was lost, or an attempt to get one failed, and another is looked for; new tickets have come. */
  event: "session" | "hunting" | "tickets";
  /** `mon.a`, of the session. */
  mon?: string;
  /** The number that the monitors gave for this session; `Cluster.globalId` is that of the first one. */
  globalId?: bigint;
  /** Why there is no session. */
  error?: RadosError;
}

const events = channel("siphon:rados:mon");

export function publish(event: MonEvent): void {
  if (events.hasSubscribers) events.publish(event);
}

import { channel } from "node:diagnostics_channel";
import type { EntityAddr } from "@siphon/wire";
import type { RadosError } from "../errors.ts";
import type { Peer } from "./peer.ts";

/** Published on the diagnostics channel `siphon:rados:connection`. */
export interface ConnectionEvent {
  event: "open" | "ready" | "lost";
  /** `osd.3`. */
  peer: string;
  addr: EntityAddr;
  /** Why it was lost. */
  error?: RadosError;
}

const connections = channel("siphon:rados:connection");

export class ConnectionEvents {
  publish(event: ConnectionEvent["event"], peer: Peer, error?: RadosError): void {
    if (!connections.hasSubscribers) return;
    const { name, addr } = peer;
    const message: ConnectionEvent = { event, peer: name, addr };
    if (error !== undefined) message.error = error;
    connections.publish(message);
  }
}

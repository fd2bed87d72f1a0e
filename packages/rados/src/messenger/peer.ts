import type { EntityAddr } from "@siphon/wire";

/** Entity types of daemons a client connects to, as on the wire (CEPH_ENTITY_TYPE_*). */
export const entityType = { mon: 0x01, mds: 0x02, osd: 0x04, client: 0x08, mgr: 0x10, auth: 0x20 } as const;

export type PeerType = "mon" | "osd" | "mgr";

/** A daemon to connect to. */
export interface Peer {
  type: PeerType;
  /** `osd.3`, `mon.a`; for a monitor known only by its address, `mon`. */
  name: string;
  /** Where, and with which version of the protocol: type `msgr2`, or `legacy` for v1. */
  addr: EntityAddr;
}

export function peerText(peer: Peer): string {
  return `${peer.name} at ${addrText(peer.addr)}`;
}

/** As Ceph prints it: `v2:192.0.2.1:3300/0`. */
export function addrText(addr: EntityAddr): string {
  const host = addr.family === 6 ? `[${addr.address}]` : addr.address;
  const version = addr.type === "msgr2" ? "v2:" : addr.type === "legacy" ? "v1:" : "";
  return `${version}${host || "-"}:${addr.port}/${addr.nonce}`;
}

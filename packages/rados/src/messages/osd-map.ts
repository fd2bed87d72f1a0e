import { type Reader, readUuid } from "@siphon/wire";

/** Maps as they travel: still encoded, by epoch. */
export interface OsdMapMessage {
  fsid: string;
  incrementals: Map<number, Buffer>;
  fulls: Map<number, Buffer>;
  /** Oldest epoch that the sender has. */
  oldest: number;
  newest: number;
}

/**
 * MOSDMap (src/messages/MOSDMap.h), version 4: fsid, map of u32 epoch to blob (incremental), the same (full),
 * u32 oldest epoch, u32 newest; then what only daemons use.
 */
export function readOsdMapMessage(r: Reader): OsdMapMessage {
  const fsid = readUuid(r);
  const maps = () =>
    r.map(
      8,
      () => r.u32(),
      () => r.blob(),
    );
  return { fsid, incrementals: maps(), fulls: maps(), oldest: r.u32(), newest: r.u32() };
}

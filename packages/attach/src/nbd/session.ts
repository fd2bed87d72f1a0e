import type { NbdExport } from "./export.ts";
import { transmissionFlag } from "./protocol.ts";

/** The result of the handshake, with which transmission begins. */
export interface Session {
  readonly export: NbdExport;
  readonly replies: "simple" | "structured" | "extended";
  /** Contexts of block status, by the id that replies carry. */
  readonly contexts: readonly MetaContext[];
}

export interface MetaContext {
  readonly id: number;
  readonly name: string;
  /** Reports changes since this snapshot; without one, reports allocation. */
  readonly since: string | undefined;
}

/** The transmission flags of an export, given what the client has negotiated so far. */
export function transmissionFlags(
  { device }: NbdExport,
  { replies, contexts }: Pick<Session, "replies" | "contexts">,
): number {
  let flags =
    transmissionFlag.hasFlags |
    transmissionFlag.sendFlush |
    transmissionFlag.sendFua |
    transmissionFlag.canMultiConn |
    transmissionFlag.sendCache;
  if (device.readOnly) flags |= transmissionFlag.readOnly;
  else flags |= transmissionFlag.sendTrim | transmissionFlag.sendWriteZeroes | transmissionFlag.sendFastZero;
  if (replies !== "simple") flags |= transmissionFlag.sendDf;
  if (replies === "extended" && contexts.length > 0) flags |= transmissionFlag.blockStatusPayload;
  return flags;
}

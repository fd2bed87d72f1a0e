import type { BlockDevice } from "../block-device.ts";
import type { ExtentSource } from "../extent-source.ts";
import type { IoMetrics } from "../server/io-metrics.ts";
import { transmissionFlag } from "./protocol.ts";
import type { Session } from "./session.ts";

/** A disk under the name that clients ask for. */
export interface NbdExport {
  readonly name: string;
  /** For people. */
  readonly description: string;
  readonly device: BlockDevice;
  /** Without one there is no block status. */
  readonly extents: ExtentSource | undefined;
  readonly metrics: IoMetrics;
}

/** What an export offers to a client that agreed on this much so far. */
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

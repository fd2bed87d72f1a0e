import type { BlockDevice } from "../block-device.ts";
import type { ExtentSource } from "../extent-source.ts";
import type { IoMetrics } from "../server/io-metrics.ts";

/** A disk under the name that clients ask for. */
export interface NbdExport {
  readonly name: string;
  /** For people. */
  readonly description: string;
  readonly device: BlockDevice;
  /** Without one there is no block status. */
  readonly extents: ExtentSource | undefined;
  readonly metrics: IoMetrics;
  /** Called for each client that has chosen it. */
  readonly joined?: () => void;
  /** Called when such a client is gone. */
  readonly left?: () => void;
}

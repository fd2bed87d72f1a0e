import type { BlockDevice } from "../block-device.ts";
import type { ExtentSource } from "../extent-source.ts";
import type { IoMetrics } from "../server/io-metrics.ts";

/** A disk and its export name. */
export interface NbdExport {
  readonly name: string;
  /** A description for people. */
  readonly description: string;
  readonly device: BlockDevice;
  /** Undefined: no block status. */
  readonly extents: ExtentSource | undefined;
  readonly metrics: IoMetrics;
  /** Called for each client that has chosen it. */
  readonly joined?: () => void;
  /** Called when such a client has disconnected. */
  readonly left?: () => void;
}

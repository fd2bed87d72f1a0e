import type { WatchNotify } from "../messages/watch-notify.ts";
import type { Link, LinkHandler } from "../messenger/link.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { OsdMapFeed } from "../mon/osdmap-feed.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { InFlightLimits } from "./limits.ts";
import type { CrushLocation } from "./replica.ts";

/** The source of an objecter's maps and connections: a `Cluster`. */
export interface ObjecterHost {
  readonly messenger: Messenger;
  readonly osdmaps: Pick<OsdMapFeed, "map" | "watch" | "take">;
  linkToOsd(osd: number, handler: LinkHandler): Link;
  /** The monitors' current map. */
  latestOsdMap(): Promise<OsdMap>;
}

export interface ObjecterOptions {
  limits: InFlightLimits;
  /** Default timeout of requests in milliseconds; 0 for none (rados_osd_op_timeout). */
  timeout: number;
  /** For localized reads. */
  location: CrushLocation;
}

/** OSD events other than answers, for the watches. */
export interface ObjecterListener {
  watchNotify?(event: WatchNotify, osd: number): void;
  /** The connection to an OSD was lost, and with it the OSD's state of this client. */
  sessionLost?(osd: number): void;
}

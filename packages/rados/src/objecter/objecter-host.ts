import type { WatchNotify } from "../messages/watch-notify.ts";
import type { Link, LinkHandler } from "../messenger/link.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { OsdMapFeed } from "../mon/osdmap-feed.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { InFlightLimits } from "./limits.ts";
import type { CrushLocation } from "./replica.ts";

/** Where an objecter gets maps and connections from: a `Cluster`. */
export interface ObjecterHost {
  readonly messenger: Messenger;
  readonly osdmaps: Pick<OsdMapFeed, "map" | "watch" | "take">;
  linkToOsd(osd: number, handler: LinkHandler): Link;
  /** The map that the monitors have now. */
  latestOsdMap(): Promise<OsdMap>;
}

export interface ObjecterOptions {
  limits: InFlightLimits;
  /** Milliseconds after which requests that name no time of their own fail; 0 for never (rados_osd_op_timeout). */
  timeout: number;
  /** For localized reads. */
  location: CrushLocation;
}

/** Events at OSDs besides answers, for the keeper of watches. */
export interface ObjecterListener {
  watchNotify?(event: WatchNotify, osd: number): void;
  /** The connection to an OSD is gone, and with it what the OSD knew of us. */
  sessionLost?(osd: number): void;
}

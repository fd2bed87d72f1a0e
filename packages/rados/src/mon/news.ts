import { readConfig } from "../messages/config.ts";
import { type MgrMap, readMgrMap } from "../messages/mgr-map.ts";
import { readMonMapMessage } from "../messages/mon-map.ts";
import { type OsdMapMessage, readOsdMapMessage } from "../messages/osd-map.ts";
import { messageType } from "../messages/types.ts";
import type { IncomingMessage } from "../messenger/message.ts";
import type { MonMap } from "./monmap.ts";

/** Unsolicited messages of the monitors: maps and settings. */
export interface MonNews {
  monmap(map: MonMap): void;
  osdmap(maps: OsdMapMessage): void;
  config(settings: Map<string, string>): void;
  mgrmap(map: MgrMap): void;
}

/** Reads a message and delivers it; false for other messages. */
export function readMonNews(message: IncomingMessage, news: MonNews): boolean {
  switch (message.type) {
    case messageType.monMap:
      news.monmap(readMonMapMessage(message.readFront("MMonMap")));
      return true;
    case messageType.osdMap:
      news.osdmap(readOsdMapMessage(message.readFront("MOSDMap")));
      return true;
    case messageType.config:
      news.config(readConfig(message.readFront("MConfig")));
      return true;
    case messageType.mgrMap:
      news.mgrmap(readMgrMap(message.readFront("MMgrMap")));
      return true;
    default:
      return false;
  }
}

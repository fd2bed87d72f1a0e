import { Reader } from "@siphon/wire";
import { type MonMap, readMonMap } from "../mon/monmap.ts";

/** MMonMap (src/messages/MMonMap.h): blob MonMap. */
export function readMonMapMessage(r: Reader): MonMap {
  return readMonMap(new Reader(r.blob(), "MonMap"));
}

import { host, type Platform } from "../host/platform.ts";
import type { Resource } from "../state/resource.ts";
import { Root } from "./root.ts";

/** The root of a resource's programs, as in its lease. */
export function rootDetails(platform: Platform): { root?: string } {
  return platform instanceof Root ? { root: platform.directory } : {};
}

/** Where the programs of a resource come from, as its lease says: also for those that come later, from another process. */
export function platformOf({ details }: Pick<Resource, "details">): Platform {
  return typeof details.root === "string" ? Root.at(details.root) : host;
}

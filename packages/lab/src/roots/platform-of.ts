import { host, type Platform } from "../host/platform.ts";
import type { Resource } from "../state/resource.ts";
import { Root } from "./root.ts";

/** The root of a resource's programs, from its lease. */
export function rootDetails(platform: Platform): { root?: string } {
  return platform instanceof Root ? { root: platform.directory } : {};
}

/** The platform of a resource's programs, from its lease, also for programs that another process starts later. */
export function platformOf({ details }: Pick<Resource, "details">): Platform {
  return typeof details.root === "string" ? Root.at(details.root) : host;
}

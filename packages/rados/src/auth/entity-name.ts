import type { Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { entityType } from "../messenger/peer.ts";

/** A user of the cluster: `client.admin`. */
export interface EntityName {
  type: keyof typeof entityType;
  id: string;
}

export function parseEntityName(text: string): EntityName {
  const dot = text.indexOf(".");
  const type = text.slice(0, dot);
  const id = text.slice(dot + 1);
  if (dot < 1 || id === "" || !Object.hasOwn(entityType, type)) {
    throw new RadosError("SIPHON_RADOS_CONFIG", `invalid user name ${JSON.stringify(text)}`, {
      hint: "write it as client.ID, for example client.admin",
    });
  }
  return { type: type as EntityName["type"], id };
}

/** EntityName: u32 type, string id (src/common/entity_name.h). */
export function writeEntityName(w: Writer, name: EntityName): void {
  w.u32(entityType[name.type]).string(name.id);
}

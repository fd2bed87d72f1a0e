import type { RbdDisk } from "../../vm/settings.ts";
import type { BaselineTarget } from "../target.ts";

/** A target's image as siphon opens it. */
export function diskOf({ client, image, conf }: BaselineTarget): RbdDisk {
  const { user, namespace } = client.target;
  return { pool: client.pool, image, user, conf: conf.path, ...(namespace !== undefined && { namespace }) };
}

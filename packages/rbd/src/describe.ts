import type { Pool } from "@siphon/rados";

/** An image or a group as people write it: `pool/namespace/name`. */
export function describe(pool: Pool, name: string): string {
  return `${placeOf(pool)}/${name}`;
}

/** A pool, and the namespace in it if there is one: `pool/namespace`. */
export function placeOf({ name, namespace }: Pool): string {
  return namespace === "" ? name : `${name}/${namespace}`;
}

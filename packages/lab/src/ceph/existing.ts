import { randomBytes } from "node:crypto";
import { LabError } from "../errors.ts";
import type { Fact } from "../results/schema.ts";
import type { CephClient } from "./client.ts";
import { readConf } from "./conf.ts";

/**
 * Checks that an existing cluster is usable: it answers, the pool exists, and the user can read and write in it. Writes
 * one small object and removes it. Errors: SIPHON_TIMEOUT, SIPHON_NOT_FOUND, SIPHON_PERMISSION.
 */
export async function requireWritable(
  client: CephClient,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  const { namespace } = client.target;
  const place = namespace === undefined ? client.pool : `${client.pool}/${namespace}`;
  await client.rbd(["ls", place], { signal, what: `list the images of ${place}` });
  const probe = `siphon-probe-${randomBytes(8).toString("hex")}`;
  await client.rados(["put", probe, "-"], { signal, input: "siphon\n", what: `write to ${place}` });
  await client.rados(["rm", probe], { signal, what: `write to ${place}` });
}

/**
 * Refuses to write to an image that siphon did not create (named `siphon-*`), unless the user allows it
 * (`--yes-overwrite`).
 *
 * @throws LabError SIPHON_REFUSED
 */
export function requireOwnImage(client: CephClient, image: string, yesOverwrite = false): void {
  if (image.startsWith("siphon-") || yesOverwrite) return;
  throw new LabError(
    "SIPHON_REFUSED",
    `${client.spec(image)} is no image of siphon's: it will not be written to`,
    {
      hint: "if its data may be lost, add --yes-overwrite",
    },
  );
}

/** Facts of a cluster that a user without admin caps can read, for the report. */
export async function existingClusterFacts(
  client: CephClient,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Fact[]> {
  const { conf, user } = client.target;
  const ask = async <T>(args: string[]): Promise<T | undefined> => {
    try {
      return (await client.command(args, { signal })) as T;
    } catch (error) {
      if (error instanceof LabError && error.code === "SIPHON_PERMISSION") return undefined;
      throw error;
    }
  };
  const versions = await ask<{ overall: Record<string, number> }>(["versions"]);
  const osds = await ask<{ num_osds: number; num_up_osds: number }>(["osd", "stat"]);
  const size = await ask<{ size: number }>(["osd", "pool", "get", client.pool, "size"]);
  const pgs = await ask<{ pg_num: number }>(["osd", "pool", "get", client.pool, "pg_num"]);
  const { global = {}, client: clients = {}, [`client.${user}`]: own = {} } = await readConf(conf);
  const options = { ...global, ...clients, ...own };
  const facts: Record<string, string | undefined> = {
    Ceph: versions && Object.keys(versions.overall).join(", "),
    cluster: `existing (${conf}, client.${user})`,
    OSDs: osds && `${osds.num_osds} (${osds.num_up_osds} up)`,
    pool: client.pool,
    replicas: size && `${size.size}`,
    "placement groups": pgs && `${pgs.pg_num}`,
    ...Object.fromEntries(
      ["auth_client_required", "ms_client_mode", "rbd_cache"].map((name) => [name, options[name]]),
    ),
  };
  return Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

import type { ObjectLocation } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../connect.ts";

interface Flags extends ConnectFlags {
  namespace?: string;
  json?: boolean;
}

export function locateCommand(): Command {
  const command = new Command("locate")
    .summary("show the placement group and the OSDs of an object")
    .description(
      "Show the placement group and the OSDs of an object, computed from the cluster's map as `ceph osd map` " +
        "does. The object need not exist.",
    )
    .argument("<pool/object>", "the object")
    .option("--namespace <name>", "namespace of the object")
    .option("--json", "print it as JSON")
    .action(locate);
  return withConnectFlags(command);
}

async function locate(text: string, { namespace, json, ...flags }: Flags): Promise<void> {
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) {
    throw new SiphonError("SIPHON_USAGE", `locate needs POOL/OBJECT, not ${text}`);
  }
  await using cluster = await connectCluster(flags);
  const location = cluster.locate(text.slice(0, slash), text.slice(slash + 1), {
    ...(namespace !== undefined && { namespace }),
  });
  const shown = json ? JSON.stringify(location, null, 2) : describe(location, namespace);
  process.stdout.write(`${shown}\n`);
}

/** The format of `ceph osd map`. */
function describe(location: ObjectLocation, namespace: string | undefined): string {
  const { epoch, pool, poolId, object, hash, pg, up, upPrimary, acting, actingPrimary } = location;
  const name = namespace ? `${namespace}/${object}` : object;
  return (
    `osdmap e${epoch} pool '${pool}' (${poolId}) object '${name}' -> ` +
    `pg ${poolId}.${hash.toString(16)} (${pg}) -> ` +
    `up ([${up}], p${upPrimary}) acting ([${acting}], p${actingPrimary})`
  );
}

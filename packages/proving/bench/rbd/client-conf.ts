import { readFile, writeFile } from "node:fs/promises";
import type { LocalCluster } from "@siphon/lab";
import type { Client } from "./clients.ts";

/** The cluster's ceph.conf, with the messenger's mode and the client's further settings. */
export async function clientConf(cluster: LocalCluster, client: Client, wire: string): Promise<string> {
  const path = cluster.resource.path(`${client.name.replaceAll(/\W+/g, "-")}-${wire}.conf`);
  const modes = [`ms_client_mode = ${wire}`, `ms_mon_client_mode = ${wire}`];
  const lines = ["", "[client]", ...modes, ...client.settings, ""];
  await writeFile(path, (await readFile(cluster.conf, "utf8")) + lines.join("\n"));
  return path;
}

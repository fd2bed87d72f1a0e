import { run } from "../host/command.ts";
import { endProcesses } from "../host/signals.ts";
import type { Resource } from "../state/resource.ts";
import type { NetworkDetails } from "./details.ts";
import { ip, links } from "./ip.ts";

/**
 * Removes a complete or unfinished network: the processes in its namespaces, the namespaces, the ports of its bridge,
 * the bridge, and its resource.
 */
export async function removeNetwork(resource: Resource): Promise<void> {
  const { mac, hosts = [] } = resource.details as Partial<NetworkDetails>;
  const what = `cannot remove the network ${resource.name}`;
  for (const { namespace } of hosts) {
    // Fails if the namespace does not exist.
    const inside = await run("ip", ["netns", "pids", namespace], { anyExitCode: true });
    if (inside.exitCode !== 0) continue;
    await endProcesses(inside.stdout.split("\n").filter(Boolean).map(Number));
    await ip(["netns", "delete", namespace], what);
  }
  const bridges = mac === undefined ? [] : await links(what, ["type", "bridge"]);
  for (const { ifname: bridge } of bridges.filter(({ address }) => address === mac)) {
    for (const { ifname } of await links(what, ["master", bridge])) await deleteLink(ifname, what);
    await deleteLink(bridge, what);
  }
  await resource.remove();
}

/** It may be gone: a veth disappears shortly after its peer's namespace. */
async function deleteLink(name: string, what: string): Promise<void> {
  try {
    await ip(["link", "delete", "dev", name], what);
  } catch (error) {
    if (!/Cannot find device/.test((error as Error).message)) throw error;
  }
}

import { LabError } from "../errors.ts";
import { writeKnownHosts } from "./connection.ts";
import { RemoteHost } from "./host.ts";
import type { InventoryHost } from "./inventory.ts";
import { removing } from "./marker.ts";

/** The result of a removal on one host. */
export interface Removal {
  host: string;
  outcome: "removed" | "absent" | "another" | "unreachable";
  /** Devices and files that hold other data by now, and were not touched. */
  left: string[];
  /** Why it could not be reached. */
  error?: Error;
}

/** Identifies a deployment by fsid, or only by name if no record is left. */
export interface Which {
  fsid?: string;
  name: string;
}

/**
 * Removes a deployment from hosts, each over a connection of its own; `directory` is a directory of this machine for
 * the connections. A failure on one host does not stop the others.
 */
export async function takeDown(
  hosts: InventoryHost[],
  which: Which,
  directory: string,
  signal?: AbortSignal,
): Promise<Removal[]> {
  await writeKnownHosts(directory, hosts);
  return Promise.all(hosts.map((host) => takeDownOn(host, which, directory, signal)));
}

async function takeDownOn(
  inventory: InventoryHost,
  which: Which,
  directory: string,
  signal?: AbortSignal,
): Promise<Removal> {
  const { name: host } = inventory;
  try {
    await using remote = await RemoteHost.connect(inventory, directory, signal);
    const what = `remove the deployment ${which.name}`;
    const said = await remote.run(removing(inventory.directory, which), { what, signal, owned: false });
    const lines = said.trim().split("\n");
    const outcome = lines.at(-1) as Removal["outcome"];
    return {
      host,
      outcome,
      left: lines.filter((line) => line.startsWith("left\t")).map((line) => line.slice(5)),
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { host, outcome: "unreachable", left: [], error: error as Error };
  }
}

/** @throws LabError if hosts could not be reached, with the remaining files and how to remove them */
export function checkReached(name: string, removals: Removal[]): void {
  const failed = removals.filter(({ outcome }) => outcome === "unreachable");
  if (failed.length === 0) return;
  const hosts = failed.map(({ host }) => host).join(", ");
  const why = failed.map(({ error }) => error?.message).join("; ");
  throw new LabError("SIPHON_HOST", `the deployment ${name} could not be taken down on ${hosts}: ${why}`, {
    cause: failed[0].error,
    retryable: true,
    hint: "when that can be reached again: siphon cluster deploy --hosts INVENTORY --destroy",
  });
}

import { setTimeout as sleep } from "node:timers/promises";
import { CephClient } from "../ceph/client.ts";
import { clusterPaths } from "../cluster/layout.ts";
import { cephStatus, type LocalClusterStatus } from "../cluster/status.ts";
import { LabError } from "../errors.ts";
import { Resource } from "../state/resource.ts";
import { writeKnownHosts } from "./connection.ts";
import { connectAll } from "./host.ts";
import type { Inventory } from "./inventory.ts";
import { daemonsOn, type Placement, place } from "./placement.ts";
import { rollOut } from "./roll-out.ts";
import { obstacles, survey } from "./survey.ts";
import { checkReached, type Removal, takeDown } from "./take-down.ts";
import { checkWipes, type Wipe } from "./wipe.ts";

export interface DeployOptions {
  /** Devices and files that may be wiped although they hold data. */
  wipes?: Wipe[];
  signal?: AbortSignal;
  /** Called with a few words about each step. */
  onStep?: (step: string) => void;
}

/** A deployed cluster as it is now. */
export interface DeploymentStatus {
  name: string;
  fsid: string;
  /** On this machine: ceph.conf and the keyrings of client.admin and the pool's user. */
  dir: string;
  conf: string;
  pool: string;
  user: string;
  hosts: { name: string; address: string; directory: string; daemons: string[] }[];
  /** The monitors' answer; missing when they do not answer. */
  ceph?: LocalClusterStatus["ceph"];
}

/** Details in the record of a deployment. */
interface Details extends Record<string, unknown> {
  deployment: Inventory;
  fsid: string;
}

/**
 * A Ceph cluster on the hosts of an inventory, deployed over ssh: monitors, a manager and OSDs, under one directory per
 * host. It stays until it is destroyed. This machine keeps a record with a ceph.conf and keyrings, so that it can be
 * used like any existing cluster.
 */
export class Deployment {
  readonly resource: Resource;

  private constructor(resource: Resource) {
    this.resource = resource;
  }

  /**
   * Deploys a cluster; returns when it is usable. First checks all hosts without changes, and reports all obstacles at
   * once. A later failure or interruption is undone on every reachable host; if one is not reachable, the record stays
   * for `destroy`.
   */
  static async up(inventory: Inventory, options: DeployOptions = {}): Promise<Deployment> {
    const { wipes = [], signal = new AbortController().signal, onStep = () => {} } = options;
    checkWipes(inventory, wipes);
    const resource = await record(inventory);
    const { fsid } = resource.details as Details;
    const { hosts, spec, name } = inventory;
    let begun = false;
    try {
      onStep(`connecting to ${hosts.length} host${hosts.length === 1 ? "" : "s"}`);
      await writeKnownHosts(resource.dir, hosts);
      {
        await using fleet = await connectAll(hosts, resource.dir, signal);
        const { remotes } = fleet;
        onStep("looking at the hosts");
        const found = await Promise.all(remotes.map((remote) => survey(remote, signal)));
        const problems = hosts.flatMap((host, n) => obstacles(host, found[n], wipes));
        if (problems.length > 0) throw inTheWay(name, problems);
        begun = true;
        const site = (placement: Placement, n: number) => ({ host: remotes[n], placement, found: found[n] });
        await rollOut({ resource, spec, fsid, sites: place(inventory).map(site), wipes, signal, onStep });
      }
      // Checked after the connections are closed, because processes of a login may end with it.
      await healthy(adminOf(resource, inventory), signal, onStep);
      await resource.keep();
      return new Deployment(resource);
    } catch (error) {
      if (begun) {
        onStep("undoing what was begun");
        throw await undo(error, inventory, resource);
      }
      await resource.remove();
      throw error;
    }
  }

  get name(): string {
    return this.inventory.name;
  }

  get inventory(): Inventory {
    return this.#details.deployment;
  }

  /** Path of the ceph.conf on this machine, which names the keyrings of client.admin and the pool's user. */
  get conf(): string {
    return clusterPaths(this.resource).conf;
  }

  async status(signal?: AbortSignal): Promise<DeploymentStatus> {
    const { inventory, conf } = this;
    const { pool, user } = inventory.spec;
    return {
      name: this.name,
      fsid: this.#details.fsid,
      dir: this.resource.dir,
      conf,
      pool,
      user,
      hosts: place(inventory).map((placement) => ({
        name: placement.host.name,
        address: placement.host.address,
        directory: placement.host.directory,
        daemons: daemonsOn(placement).map((daemon) => daemon.name),
      })),
      ceph: await cephStatus(adminOf(this.resource, inventory), signal),
    };
  }

  get #details(): Details {
    return this.resource.details as Details;
  }
}

/** Whether a cluster's resource is a deployment. */
export function isDeployment({ details }: Resource): boolean {
  return "deployment" in details;
}

/**
 * Removes a deployment: its daemons, files and OSD devices on every host, and its record here. Without a record, it
 * searches the inventory's hosts for a deployment of that name.
 *
 * @throws LabError SIPHON_NOT_FOUND when there is none, SIPHON_HOST if a host cannot be reached; then it can be
 * repeated
 */
export async function destroy(inventory: Inventory, signal?: AbortSignal): Promise<Removal[]> {
  const { name } = inventory;
  const found = await Resource.find("clusters", name);
  if (found && isDeployment(found)) {
    if (!found.kept && !found.stale) throw busy(name);
    return destroyRecorded(found, signal);
  }
  await using work = await Resource.create("work", `destroy-${crypto.randomUUID()}`);
  const removals = await takeDown(inventory.hosts, { name }, work.dir, signal);
  checkReached(name, removals);
  if (removals.some(({ outcome }) => outcome === "removed")) return removals;
  const hosts = inventory.hosts.map((host) => host.name).join(", ");
  throw new LabError("SIPHON_NOT_FOUND", `there is no deployment ${name} on ${hosts}`);
}

/** Removes the deployment of a record. */
export async function destroyRecorded(resource: Resource, signal?: AbortSignal): Promise<Removal[]> {
  const { deployment, fsid } = resource.details as Details;
  const { name, hosts } = deployment;
  const removals = await takeDown(hosts, { fsid, name }, resource.dir, signal);
  checkReached(name, removals);
  await resource.remove();
  return removals;
}

/** Creates the record first: after a crash it says where to clean up. */
async function record(inventory: Inventory): Promise<Resource> {
  const { name } = inventory;
  const found = await Resource.find("clusters", name);
  if (found && isDeployment(found)) {
    throw found.kept || found.stale
      ? new LabError("SIPHON_IN_USE", `the deployment ${name} is there already, or was left half made`, {
          hint: "add --recreate to make it anew, or --destroy to take it down",
        })
      : busy(name);
  }
  const details: Details = { deployment: inventory, fsid: crypto.randomUUID() };
  return Resource.create("clusters", name, details);
}

function busy(name: string): LabError {
  return new LabError("SIPHON_IN_USE", `another siphon is at work on the deployment ${name}`);
}

function inTheWay(name: string, problems: string[]): LabError {
  const hints = [
    ...(problems.some((text) => text.includes("holds data"))
      ? ["to lose what a device holds, name it with --wipe HOST:DEVICE"]
      : []),
    ...(problems.some((text) => text.includes("has a deployment"))
      ? ["--recreate or --destroy take down a deployment of the same name"]
      : []),
  ];
  const hint = hints.length > 0 ? hints.join("; ") : undefined;
  return new LabError("SIPHON_REFUSED", `cannot deploy ${name}: ${problems.join("; ")}`, { hint });
}

/** Undoes a deployment; returns the error to throw. If a host cannot be reached, the record stays. */
async function undo(error: unknown, { name, hosts }: Inventory, resource: Resource): Promise<unknown> {
  const { fsid } = resource.details as Details;
  try {
    checkReached(name, await takeDown(hosts, { fsid, name }, resource.dir));
  } catch (left) {
    await resource.abandon();
    if (!(error instanceof LabError && left instanceof LabError)) return error;
    return new LabError(error.code, `${error.message}; ${left.message}`, { cause: error, hint: left.hint });
  }
  await resource.remove();
  return error;
}

function adminOf(resource: Resource, { spec }: Inventory): CephClient {
  const { conf } = clusterPaths(resource);
  return new CephClient({ conf, user: "admin", pool: spec.pool }, resource.environment);
}

/**
 * Waits briefly for HEALTH_OK. Remaining problems (clock skew, little space) are reported with the status and are no
 * failure.
 *
 * @throws LabError SIPHON_CLUSTER when no monitor answers
 */
async function healthy(
  admin: CephClient,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const status = await cephStatus(admin, signal);
    if (status?.health === "HEALTH_OK") return;
    if (!status) {
      throw new LabError(
        "SIPHON_CLUSTER",
        "no monitor answers any more once the ssh connections are closed",
        {
          hint: "do the hosts end what a login leaves running? Log in as root, or use sudo (ssh: sudo: true)",
        },
      );
    }
    onStep(`waiting for HEALTH_OK: ${status.problems.join("; ")}`);
    await sleep(1000);
    signal.throwIfAborted();
  }
}

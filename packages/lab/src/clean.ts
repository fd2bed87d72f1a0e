import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { destroyRecorded, isDeployment } from "./deploy/deployment.ts";
import { pidsWithEnvironment } from "./host/proc.ts";
import { endProcesses } from "./host/signals.ts";
import { removeRecordedImage } from "./image/recorded.ts";
import { removeNetwork } from "./network/remove.ts";
import { removeAbandonedBuilds } from "./state/cache.ts";
import { stateDir } from "./state/paths.ts";
import { RESOURCE_VARIABLE, Resource, type ResourceKind } from "./state/resource.ts";

export interface CleanOptions {
  /** Also remove kept resources. */
  all?: boolean;
  /** Only list what would be removed. */
  dryRun?: boolean;
}

export interface Removed {
  kind: ResourceKind;
  name: string;
  dir: string;
  /** The processes that were running for it. */
  pids: number[];
}

/** Order of removal: VMs before their images, images before their clusters, networks last. */
const kinds: ResourceKind[] = ["vms", "images", "clusters", "networks", "work"];

/**
 * Removes the leftovers of ended processes: daemons, VMs, files, and images in pools. A failed removal (an image in a
 * cluster that does not answer) does not stop the others; its error is thrown last.
 */
export async function clean({ all = false, dryRun = false }: CleanOptions = {}): Promise<Removed[]> {
  const removed: Removed[] = [];
  const failures: unknown[] = [];
  for (const kind of kinds) {
    for (const resource of await Resource.list(kind)) {
      if (!resource.stale && !(all && resource.kept)) continue;
      if (!(await resource.isCurrent())) continue;
      const { name, dir } = resource;
      const pids = pidsWithEnvironment(RESOURCE_VARIABLE, (value) => value === dir);
      try {
        if (!dryRun) await remove(resource);
        removed.push({ kind, name, dir, pids });
      } catch (error) {
        failures.push(error);
      }
    }
  }
  if (!dryRun) {
    for (const kind of kinds) await Resource.removeUnfinished(kind, "the dead");
    await endOrphans();
    await removeAbandonedBuilds();
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

/**
 * Removes everything that this process has started and not kept, as `clean` would after its end; a failed removal does
 * not stop the others.
 */
export async function removeOwn(): Promise<void> {
  const failures: unknown[] = [];
  for (const kind of kinds) {
    for (const resource of (await Resource.list(kind)).filter(({ own }) => own)) {
      await remove(resource).catch((error) => failures.push(error));
    }
    // Another process may be removing it concurrently.
    await Resource.removeUnfinished(kind, "this process").catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** Removes a resource; most consist only of processes and files. */
async function remove(resource: Resource): Promise<void> {
  if (resource.kind === "networks") await removeNetwork(resource);
  else if (resource.kind === "images") await removeRecordedImage(resource);
  else if (isDeployment(resource)) await destroyRecorded(resource);
  else {
    await resource.remove();
    await removeUnfinished(resource.details.building);
  }
}

/** Removes unfinished builds outside the cache whose process has ended. */
async function removeUnfinished(building: unknown): Promise<void> {
  if (typeof building !== "string" || !basename(building).startsWith(".building-")) return;
  await rm(building, { recursive: true, force: true });
}

/**
 * Programs whose resource directory was removed while they ran. A directory exists before its first program starts, so
 * it is checked after the program was found.
 */
async function endOrphans(): Promise<void> {
  const isOrphan = (dir: string) => dir.startsWith(`${stateDir()}/`) && !existsSync(dir);
  await endProcesses(pidsWithEnvironment(RESOURCE_VARIABLE, isOrphan));
}

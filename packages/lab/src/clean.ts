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
  /** Also what was meant to stay. */
  all?: boolean;
  /** Only say what would be removed. */
  dryRun?: boolean;
}

export interface Removed {
  kind: ResourceKind;
  name: string;
  dir: string;
  /** The processes that were running for it. */
  pids: number[];
}

/**
 * In this order: VMs before the images they use, images before the clusters that hold them, networks when
 * nothing uses them any more.
 */
const kinds: ResourceKind[] = ["vms", "images", "clusters", "networks", "work"];

/**
 * Removes what processes that are gone left behind: their daemons, VMs, files, and images in pools. What
 * cannot be removed (an image in a cluster that does not answer) stops nothing else; its error is thrown last.
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

/** Removes all that this process has started and has not kept, as `clean` would after its end; what cannot be removed stops nothing else. */
export async function removeOwn(): Promise<void> {
  const failures: unknown[] = [];
  for (const kind of kinds) {
    for (const resource of (await Resource.list(kind)).filter(({ own }) => own)) {
      await remove(resource).catch((error) => failures.push(error));
    }
    // Another process may have been removing some of it.
    await Resource.removeUnfinished(kind, "this process").catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** Most is removed with its processes and files; some reaches further. */
async function remove(resource: Resource): Promise<void> {
  if (resource.kind === "networks") await removeNetwork(resource);
  else if (resource.kind === "images") await removeRecordedImage(resource);
  else if (isDeployment(resource)) await destroyRecorded(resource);
  else {
    await resource.remove();
    await removeUnfinished(resource.details.building);
  }
}

/** Removes builds outside of the cache by a siphon that is gone. */
async function removeUnfinished(building: unknown): Promise<void> {
  if (typeof building !== "string" || !basename(building).startsWith(".building-")) return;
  await rm(building, { recursive: true, force: true });
}

/**
 * Programs whose resource directory has gone: removed manually while they ran. A directory is there before the first program is started for
 * it, so each is looked for when its program has been found.
 */
async function endOrphans(): Promise<void> {
  const isOrphan = (dir: string) => dir.startsWith(`${stateDir()}/`) && !existsSync(dir);
  await endProcesses(pidsWithEnvironment(RESOURCE_VARIABLE, isOrphan));
}

import { type Disk, isRbd } from "../model/disk.ts";
import type { Place } from "../model/place.ts";
import type { Vm } from "../model/vm.ts";
import type { ClusterView, ImageView } from "./view.ts";

/** Adds the cluster's answers about the VM's images and pools to the model; facts it does not give are listed in `unseen`. */
export async function addCluster(vm: Vm, view: ClusterView): Promise<void> {
  const pools = new Set<string>();
  for (const disk of vm.disks.filter(isRbd)) {
    const { pool, namespace, image } = disk.source;
    if (pool !== undefined && pool !== "") pools.add(pool);
    if (pool === undefined || pool === "" || image === undefined || image === "") continue;
    const found = await view.image(pool, namespace, image);
    if ("why" in found) vm.unseen.push(`image ${pool}/${image}: ${found.why}`);
    else {
      addImage(disk, found);
      if (found.dataPool !== undefined) pools.add(found.dataPool);
    }
  }
  const hostRoot = await view.hostRoot?.();
  for (const name of pools) await addPool(vm, name, view, hostRoot);
  const health = await view.health();
  if ("why" in health) vm.unseen.push(`the cluster's health: ${health.why}`);
  else {
    const place: Place = { file: "ceph health", line: 1 };
    const full = health.checks.find(({ code }) => /^(OSD|POOL)_(NEARFULL|BACKFILLFULL|FULL)$/.test(code));
    const inactive = health.checks.find(({ code }) => code === "PG_AVAILABILITY");
    if (full !== undefined)
      vm.settings.nearFull = { value: full.summary, place: { ...place, path: full.code } };
    if (inactive !== undefined)
      vm.settings.inactivePgs = { value: inactive.summary, place: { ...place, path: inactive.code } };
  }
}

function addImage(disk: Disk, found: ImageView): void {
  const { features, parent, cloneDepth, objectSize, snapshots, lockers, watchers, overrides } = found;
  const place: Place = { file: `image ${disk.source.pool}/${disk.source.image}`, line: 1 };
  disk.image = { place, features, objectSize, snapshots, ...(parent !== undefined && { parent }) };
  if (found.objectMapInvalid !== undefined) disk.image.objectMapInvalid = found.objectMapInvalid;
  if (cloneDepth !== undefined) disk.image.cloneDepth = cloneDepth;
  const dead = lockers.filter((locker) => !watchers.includes(locker));
  if (dead.length > 0) disk.image.staleLock = dead.join(", ");
  if (watchers.length > 1) disk.image.watchers = watchers;
  if (overrides.length > 0) disk.image.overrides = overrides;
}

async function addPool(vm: Vm, name: string, view: ClusterView, hostRoot: string | undefined): Promise<void> {
  const pool = await view.pool(name);
  if ("why" in pool) {
    vm.unseen.push(`pool ${name}: ${pool.why}`);
    return;
  }
  const place: Place = { file: `pool ${name}`, line: 1 };
  if (pool.erasure?.optimized === false)
    vm.settings.erasurePlain ??= { value: `pool ${name} is erasure-coded without them`, place };
  const { roots } = pool;
  if (hostRoot !== undefined && roots !== undefined && roots.length > 0 && !roots.includes(hostRoot))
    vm.settings.otherRoot ??= {
      value: `pool ${name} takes its OSDs from ${roots.join(", ")}, and this host is under ${hostRoot}`,
      place,
    };
  if (pool.size === 1 && pool.erasure === undefined)
    vm.settings.replicaOne ??= { value: `pool ${name} keeps one copy`, place };
  if (pool.pgs === 1) {
    vm.settings.onePg ??= [];
    vm.settings.onePg.push({ value: name, place });
  } else if (pool.autoscale !== "on") {
    vm.settings.autoscalerOff ??= {
      value: `pool ${name} has ${pool.pgs} PGs and pg_autoscale_mode ${pool.autoscale}`,
      place,
    };
  }
}

import { emptyVm, type Vm } from "../../model/vm.ts";
import { applyCephConf } from "../ceph/client-settings.ts";
import { readCephConf } from "../ceph/conf.ts";
import type { YamlValue } from "../yaml.ts";
import { nameOf, ofKind } from "./objects.ts";
import { isRbdClass, storageClassDisk } from "./storage-class.ts";

/** Facts about all images of a cluster, from the objects of Rook and ceph-csi. */
export function rookVm(objects: readonly YamlValue[]): Vm {
  const first = objects[0]!;
  const vm = emptyVm("rook", first.place());
  const named = ofKind(objects, "CephCluster")[0] ?? first;
  vm.name = nameOf(named);
  addRook(vm, objects);
  return vm;
}

/** Adds the facts of classes, pools and clusters, also to a VM that another object describes. */
export function addRook(vm: Vm, objects: readonly YamlValue[]): void {
  for (const object of ofKind(objects, "StorageClass"))
    if (isRbdClass(object)) vm.disks.push(storageClassDisk(object, objects));
  const small = metadataPools(objects);
  for (const pool of ofKind(objects, "CephBlockPool")) addPool(vm, pool, small.has(nameOf(pool)));
  for (const cluster of ofKind(objects, "CephCluster")) addCluster(vm, cluster);
  for (const map of ofKind(objects, "ConfigMap")) {
    const text = map.text("data", "config");
    if (text === undefined || !/^\s*\[|^\s*\w+[\w ]*=/m.test(text)) continue;
    const start = map.place("data", "config");
    applyCephConf(vm, readCephConf({ name: start.file, text }, start.line));
  }
}

/** Pools that hold only image headers: a class with a dataPool (often erasure-coded) keeps its data there, not in `pool`. */
function metadataPools(objects: readonly YamlValue[]): Set<string> {
  const classes = ofKind(objects, "StorageClass").filter(isRbdClass);
  const holdsData = new Set(
    classes.map((each) => each.text("parameters", "dataPool") ?? each.text("parameters", "pool")),
  );
  return new Set(
    classes.flatMap((each) => each.text("parameters", "pool") ?? []).filter((name) => !holdsData.has(name)),
  );
}

function addPool(vm: Vm, pool: YamlValue, isSmall: boolean): void {
  const name = nameOf(pool);
  const size = Number(pool.text("spec", "replicated", "size"));
  if (size === 1)
    vm.settings.replicaOne ??= {
      value: `pool ${name} keeps one copy`,
      place: pool.place("spec", "replicated", "size"),
    };
  // .mgr has one PG on purpose.
  if (isSmall || (pool.text("spec", "name") ?? "").startsWith(".")) return;
  const parameters = pool.keys("spec", "parameters");
  const isSized =
    Number(pool.text("spec", "replicated", "targetSizeRatio")) > 0 ||
    parameters.some((key) =>
      /^(target_size_ratio|target_size_bytes|pg_num|pg_num_min|pgp_num|pg_autoscale_mode)$/.test(key),
    ) ||
    isTrue(pool.text("spec", "parameters", "bulk"));
  if (!isSized) {
    vm.settings.onePg ??= [];
    vm.settings.onePg.push({ value: name, place: pool.place("spec") });
  }
}

function addCluster(vm: Vm, cluster: YamlValue): void {
  if (Number(cluster.text("spec", "mon", "count")) === 1)
    vm.settings.singleMonitor ??= {
      value: "spec.mon.count is 1",
      place: cluster.place("spec", "mon", "count"),
    };
  if (isTrue(cluster.text("spec", "network", "connections", "encryption", "enabled"))) {
    vm.settings.secure ??= {
      value: "spec.network.connections.encryption.enabled",
      place: cluster.place("spec", "network", "connections", "encryption", "enabled"),
    };
  }
  for (const section of cluster.keys("spec", "cephConfig"))
    for (const key of cluster.keys("spec", "cephConfig", section)) {
      const value = cluster.text("spec", "cephConfig", section, key) ?? "";
      const setting = { section, value, place: cluster.place("spec", "cephConfig", section, key) };
      applyCephConf(vm, [{ ...setting, key: key.replace(/[\s-]+/g, "_") }]);
    }
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(true|1|yes|on)$/i.test(text);
}

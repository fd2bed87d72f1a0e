import { isData } from "../../model/disk.ts";
import type { Place } from "../../model/place.ts";
import type { Vm } from "../../model/vm.ts";
import { type CephSetting, isForClients } from "./conf.ts";

/** Tuning options. Options for the cluster's address and the user may differ between files. */
const tunes = /^(rbd|ms|librados|objecter|rados)_/;

/**
 * Notes where the disks' clients do not follow a ceph.conf: they read another file or none, or an option in the drive's own
 * string overrides it.
 */
export function compareWithConf(vm: Vm, file: string, conf: readonly CephSetting[]): void {
  for (const { name, source } of vm.disks.filter(isData)) {
    if (source.driver !== "librbd") continue;
    const { place, options } = source;
    const reads = source.conf;
    if (reads === "none" || reads === "/dev/null") {
      note(vm, `${name} reads no ceph.conf (conf=${reads}): ${file} does not apply to it`, place);
      continue;
    }
    if (reads !== undefined && baseOf(reads) !== baseOf(file) && /\.conf$/.test(file)) {
      note(vm, `${name} reads ${reads}, not ${file}`, place);
      continue;
    }
    for (const [key, { value, place: at }] of options ?? []) {
      const setting = conf.findLast((each) => each.key === key && isForClients(each.section));
      if (tunes.test(key) && setting !== undefined && setting.value !== value)
        note(
          vm,
          `${name} has ${key} = ${value} in its own string, which overrides ${setting.value} of ${file}`,
          at,
        );
    }
  }
}

/**
 * Notes variables in QEMU's environment from which librados takes settings. It reads CEPH_ARGS when a client is created, then the file,
 * then the drive's string. CEPH_CONF applies to disks that name no file.
 */
export function noteEnvironment(vm: Vm, variables: ReadonlyMap<string, string>, place: Place): void {
  const librbd = vm.disks.filter((disk) => isData(disk) && disk.source.driver === "librbd");
  if (librbd.length === 0) return;
  if ((variables.get("CEPH_ARGS") ?? "").trim() !== "")
    note(
      vm,
      "CEPH_ARGS is set in QEMU's environment: librados reads settings from it that are in no file",
      place,
    );
  const file = variables.get("CEPH_CONF");
  if (file !== undefined && file !== "" && librbd.some(({ source }) => source.conf === undefined))
    note(vm, `CEPH_CONF is set in QEMU's environment: disks without a file of their own read ${file}`, place);
}

function note(vm: Vm, value: string, place: Place): void {
  vm.settings.confElsewhere ??= [];
  vm.settings.confElsewhere.push({ value, place });
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

import { machine } from "../host/machine.ts";
import { host, type Platform } from "../host/platform.ts";
import { hostSensors } from "../host/sensors.ts";
import type { Versions } from "../host/versions.ts";
import { formatSize } from "../ladder/size.ts";
import type { Fact } from "../ladder/target.ts";

/** This machine, as a report shows it. */
export function machineFacts(): Fact[] {
  const { cpu, cores, memory, kernel, distribution } = machine();
  const { numaNodes, frequency, thermalSensors } = hostSensors().abilities;
  return [
    { name: "processor", value: cpu },
    { name: "cores", value: String(cores) },
    { name: "memory", value: formatSize(memory) },
    { name: "kernel", value: kernel },
    { name: "distribution", value: distribution },
    { name: "NUMA nodes", value: numaNodes === undefined ? notShown : String(numaNodes) },
    { name: "frequency", value: frequency ?? notShown },
    { name: "thermal sensors", value: thermalSensors === 0 ? notShown : String(thermalSensors) },
  ];
}

const notShown = "not available";

/** The programs that come from roots. */
export function rootFacts(platforms: { ceph: Platform; qemu?: Platform }): Fact[] {
  const { ceph, qemu = host } = platforms;
  return [
    ...(ceph === host ? [] : [{ name: "Ceph and fio are of", value: `the root ${ceph.name}` }]),
    ...(qemu === host ? [] : [{ name: "QEMU is of", value: `the root ${qemu.name}` }]),
  ];
}

/** The programs that figures depend on. */
export function versionFacts(found: Versions): Fact[] {
  return Object.entries(found).map(([name, value]) => ({ name, value: value ?? "not installed" }));
}

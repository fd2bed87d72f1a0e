import type { Vm } from "../../model/vm.ts";
import type { YamlValue } from "../yaml.ts";
import { cpusOf } from "./objects.ts";

/**
 * Assigns I/O threads to disks like virt-launcher (pkg/virt-launcher/virtwrap/converter: iothreads.go, disk.go,
 * controllers.go): dedicated threads, shared threads in turn, or a pool that is mapped to queues.
 */
export function assignIothreads(
  vm: Vm,
  spec: YamlValue,
  object: YamlValue,
  instancetype: YamlValue | undefined,
  multiQueue: boolean,
): void {
  const domain = spec.at("domain");
  const policy = domain.text("ioThreadsPolicy") ?? instancetype?.text("spec", "ioThreadsPolicy");
  const hidden =
    object.get("spec", "instancetype") !== undefined && instancetype === undefined && policy === undefined;
  const disks = domain.list("devices", "disks");
  const isDedicated = (disk: YamlValue) => disk.get("dedicatedIOThread") === true;
  const dedicated = disks.filter(isDedicated).length;
  const has = policy !== undefined || dedicated > 0;
  const pool =
    policy === "supplementalPool" ? Number(domain.text("ioThreads", "supplementalPoolThreadCount") ?? 0) : 0;
  const shared = sharedThreads(policy, disks.length - dedicated, dedicated, domain);
  const scsiWorks = vm.disks.some(
    (disk, index) =>
      disk.bus.value === "virtio-scsi" && disks[index] !== undefined && isDedicated(disks[index]),
  );
  let nextShared = 0;
  let nextDedicated = 0;
  for (const [index, disk] of vm.disks.entries()) {
    const entry = disks[index];
    const bus = disk.bus.value;
    const place = entry?.place("name") ?? disk.place;
    if (bus === "virtio-blk") {
      if (pool > 0) disk.iothread = { state: "mapped", place };
      else if (!has) disk.iothread = { state: hidden ? "unsettable" : "none", place };
      else if (entry !== undefined && isDedicated(entry))
        disk.iothread = { state: "used", thread: `dedicated ${++nextDedicated}`, place };
      else disk.iothread = { state: "used", thread: `shared ${(nextShared++ % shared) + 1}`, place };
    } else if (bus === "virtio-scsi") {
      if (scsiWorks) disk.iothread = { state: "used", thread: "the SCSI controller's", place };
      else if (policy !== undefined) {
        disk.iothread = {
          state: "ignored",
          place: domain.place("ioThreadsPolicy"),
          why: "ioThreadsPolicy applies only to virtio disks; the SCSI controller gets a thread if a SCSI disk has dedicatedIOThread: true.",
        };
      } else disk.iothread = { state: has || hidden ? "unsettable" : "none", place };
    } else disk.iothread = { state: "unsettable", place };
    if (multiQueue && (bus === "virtio-blk" || (bus === "virtio-scsi" && scsiWorks)) && (vm.vcpus ?? 0) > 1)
      disk.queues = { value: vm.vcpus!, explicit: true, place: domain.place("devices", "blockMultiQueue") };
  }
}

/** The number of threads that the disks without a dedicated one share. */
function sharedThreads(
  policy: string | undefined,
  wanted: number,
  dedicated: number,
  domain: YamlValue,
): number {
  const limit = poolLimit(policy, domain);
  return wanted + dedicated > limit ? Math.max(1, limit - dedicated) : Math.max(1, wanted);
}

function poolLimit(policy: string | undefined, domain: YamlValue): number {
  if (policy !== "auto") return 1;
  if (
    domain.get("cpu", "dedicatedCpuPlacement") === true &&
    domain.get("cpu", "isolateEmulatorThread") === true
  )
    return 1;
  const cpus =
    cpusOf(domain.text("resources", "requests", "cpu")) ??
    cpusOf(domain.text("resources", "limits", "cpu")) ??
    1;
  return Math.ceil(cpus) * 2;
}

import type { Disk } from "../../model/disk.ts";
import { isData } from "../../model/disk.ts";
import type { Vm } from "../../model/vm.ts";
import type { YamlValue } from "../yaml.ts";

/** Where KubeVirt reads options that are often misplaced. */
const homes: Readonly<Record<string, string>> = {
  blockMultiQueue: "spec.domain.devices.blockMultiQueue",
  ioThreadsPolicy: "spec.domain.ioThreadsPolicy",
  dedicatedIOThread: "beside the disk's name: disks[].dedicatedIOThread",
  cache: "beside the disk's name: disks[].cache",
  io: "beside the disk's name: disks[].io",
};

/** Finds options of disks and I/O threads at places that the API does not define: it rejects or prunes them. */
export function misplacedOptions(vm: Vm, spec: YamlValue): void {
  const domain = spec.at("domain");
  const devices = domain.at("devices");
  for (const disk of devices.list("disks")) {
    const target = vm.disks.find(({ name }) => name === disk.text("name"));
    if (target === undefined) continue;
    for (const device of ["disk", "lun", "cdrom"])
      for (const option of ["blockMultiQueue", "cache", "io", "dedicatedIOThread", "ioThreadsPolicy"])
        if (disk.get(device, option) !== undefined)
          add(target, option, disk.place(device, option), `below ${device}`);
    for (const option of ["blockMultiQueue", "ioThreadsPolicy"])
      if (disk.get(option) !== undefined) add(target, option, disk.place(option), "beside a disk's name");
  }
  const wrong: [YamlValue, string, string][] = [
    [domain, "blockMultiQueue", "below domain"],
    [spec, "blockMultiQueue", "below spec"],
    [spec, "ioThreadsPolicy", "below spec"],
    [devices, "ioThreadsPolicy", "below devices"],
    [domain.at("cpu"), "ioThreadsPolicy", "below cpu"],
  ];
  for (const [parent, option, where] of wrong) {
    if (parent.get(option) === undefined) continue;
    for (const disk of vm.disks.filter(isData)) add(disk, option, parent.place(option), where);
  }
}

function add(disk: Disk, option: string, place: Disk["place"], where: string): void {
  disk.misplaced ??= [];
  disk.misplaced.push({
    value: {
      option,
      why: `KubeVirt has no ${option} ${where}: it is refused or dropped.`,
      belongs: homes[option]!,
    },
    place,
  });
}

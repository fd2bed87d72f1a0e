import type { Disk } from "../../model/disk.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import { type IniSetting, readIni } from "../ini.ts";
import type { InputFile } from "../input.ts";

/** The RBD backends in cinder.conf, each as a disk with its section's name: how volumes are created, not how VMs open them. */
export function cinderVm(input: InputFile): Vm {
  const settings = readIni(input);
  const vm = emptyVm("openstack", { file: input.name, line: 1 });
  const drivers = settings.filter(
    ({ key, value }) => key === "volume_driver" && value.includes(".rbd.RBDDriver"),
  );
  for (const driver of drivers) vm.disks.push(backend(driver, settings));
  vm.unseen.push("nova.conf: cache, discard and bus of these volumes are Nova's to say");
  return vm;
}

function backend({ section, place }: IniSetting, settings: readonly IniSetting[]): Disk {
  const find = (key: string) =>
    settings.findLast((setting) => setting.section === section && setting.key === key);
  const user = find("rbd_user");
  const pool = find("rbd_pool")?.value;
  const chunk = find("rbd_store_chunk_size");
  const conf = find("rbd_ceph_conf")?.value;
  const mebibytes = Number(chunk?.value);
  return {
    name: section,
    place,
    kind: "data",
    bus: { value: "none", place },
    source: {
      driver: "librbd",
      place,
      pool: pool ?? "rbd",
      ...(conf !== undefined && conf !== "" && { conf }),
      ...(user !== undefined && user.value !== "" && { user: { value: user.value, place: user.place } }),
    },
    ...(mebibytes > 0 && { image: { place: chunk!.place, objectSize: mebibytes * 2 ** 20 } }),
  };
}

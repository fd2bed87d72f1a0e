import { emptyVm, type Vm } from "../../model/vm.ts";
import type { IniSetting } from "../ini.ts";
import type { InputFile } from "../input.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import { vmFromSettings } from "./nova.ts";

/** Kolla's globals.yml, as its nova.conf template uses it (roles/nova-cell/templates/nova.conf.d/libvirt.conf.j2). */
export function kollaVm(input: InputFile): Vm {
  const place = { file: input.name, line: 1 };
  const [globals] = readYaml(input);
  if (globals === undefined) return { ...emptyVm("openstack", place), managedBy: "kolla" };
  return vmFromSettings(novaSettings(globals), place, undefined, "kolla");
}

function novaSettings(globals: YamlValue): IniSetting[] {
  const settings: IniSetting[] = [];
  const add = (key: string, value: string, from: string) =>
    settings.push({ section: "libvirt", key, value, place: globals.place(from) });
  const virtType = globals.text("nova_compute_virt_type");
  if (virtType !== undefined) add("virt_type", virtType, "nova_compute_virt_type");
  const mode = globals.text("nova_libvirt_cpu_mode");
  if (mode !== undefined && mode !== "") add("cpu_mode", mode, "nova_libvirt_cpu_mode");
  const isRbd =
    globals.text("nova_backend") === "rbd" ||
    /^(yes|true|1|on)$/i.test(globals.text("nova_backend_ceph") ?? "");
  if (!isRbd) return settings;
  const from = globals.get("nova_backend_ceph") === undefined ? "nova_backend" : "nova_backend_ceph";
  add("images_type", "rbd", from);
  add("disk_cachemodes", "network=writeback", from);
  const discard = globals.text("nova_hw_disk_discard") ?? "unmap";
  if (discard !== "") add("hw_disk_discard", discard, from);
  const user = globals.text("ceph_nova_user");
  if (user !== undefined) add("rbd_user", user, "ceph_nova_user");
  return settings;
}

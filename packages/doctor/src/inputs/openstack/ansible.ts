import { emptyVm, type Vm } from "../../model/vm.ts";
import { applyCephConf } from "../ceph/client-settings.ts";
import type { CephSetting } from "../ceph/conf.ts";
import type { IniSetting } from "../ini.ts";
import type { InputFile } from "../input.ts";
import { readYaml, type YamlValue } from "../yaml.ts";
import { vmFromSettings } from "./nova.ts";

/** OpenStack-Ansible's variables that become options in nova.conf's [libvirt]. */
const variables: Readonly<Record<string, string>> = {
  nova_libvirt_disk_cachemodes: "disk_cachemodes",
  nova_libvirt_hw_disk_discard: "hw_disk_discard",
  nova_libvirt_images_rbd_pool: "images_rbd_pool",
  nova_virt_type: "virt_type",
  nova_cpu_mode: "cpu_mode",
  nova_ceph_client: "rbd_user",
};

/** Overrides of OpenStack-Ansible (with ceph-ansible) or values of OpenStack-Helm: settings of Ceph's clients, and of Nova if present. */
export function ansibleVm(input: InputFile): Vm {
  const documents = readYaml(input);
  const place = { file: input.name, line: 1 };
  const nova = documents.flatMap(novaSettings);
  const manager = documents.some((document) => document.get("conf", "nova") !== undefined)
    ? "openstack-helm"
    : "openstack-ansible";
  const vm =
    nova.length > 0
      ? vmFromSettings(nova, place, undefined, manager)
      : { ...emptyVm("ceph-conf", place), managedBy: manager };
  for (const document of documents) applyCephConf(vm, cephSettings(document));
  return vm;
}

/** Ceph's `*_conf_overrides`: a mapping of sections to options. */
function cephSettings(document: YamlValue): CephSetting[] {
  const settings: CephSetting[] = [];
  for (const name of document.keys()) {
    if (!/ceph_conf_overrides|ceph_client_conf_overrides|ceph_config_overrides/.test(name)) continue;
    for (const section of document.keys(name))
      for (const key of document.keys(name, section)) {
        const value = document.text(name, section, key) ?? "";
        settings.push({
          section,
          key: key.replace(/[\s-]+/g, "_"),
          value,
          place: document.place(name, section, key),
        });
      }
  }
  const monitors = document.list("ceph_mons");
  if (monitors.length === 1 && document.text("ceph_mons", 0) !== undefined)
    settings.push({
      section: "global",
      key: "mon_host",
      value: document.text("ceph_mons", 0)!,
      place: document.place("ceph_mons"),
    });
  return settings;
}

function novaSettings(document: YamlValue): IniSetting[] {
  const settings: IniSetting[] = [];
  for (const name of document.keys()) {
    if (Object.hasOwn(variables, name)) {
      const value = document.text(name) ?? "";
      settings.push({ section: "libvirt", key: variables[name]!, value, place: document.place(name) });
    }
    if (!/^nova_.*conf_overrides$/.test(name)) continue;
    for (const section of document.keys(name))
      for (const key of document.keys(name, section)) {
        const value = document.text(name, section, key) ?? "";
        settings.push({ section, key, value, place: document.place(name, section, key) });
      }
  }
  // OpenStack-Helm's values have configuration files below `conf`.
  for (const section of document.keys("conf", "nova"))
    for (const key of document.keys("conf", "nova", section)) {
      const value = document.text("conf", "nova", section, key) ?? "";
      settings.push({ section, key, value, place: document.place("conf", "nova", section, key) });
    }
  if (document.get("conf", "nova") !== undefined) return settings;
  // A pool for Nova enables more defaults of the role (os_nova, defaults/main.yml).
  const pool = settings.find(({ key, value }) => key === "images_rbd_pool" && value !== "");
  const adds = (key: string, value: string) => {
    if (
      pool !== undefined &&
      !settings.some((setting) => setting.section === "libvirt" && setting.key === key)
    )
      settings.push({ section: "libvirt", key, value, place: pool.place });
  };
  adds("images_type", "rbd");
  adds("disk_cachemodes", "network=writeback");
  adds("hw_disk_discard", "unmap");
  return settings;
}

import type { InputFile } from "../inputs/input.ts";
import type { FixTarget } from "./fix-target.ts";
import { YamlText } from "./yaml-edits.ts";

type Variables = Readonly<Record<string, readonly [name: string, value: string]>>;

/** Kolla's globals.yml with one finding fixed; undefined if no variable of Kolla does it. */
export function fixKolla(file: InputFile, { id }: FixTarget): string | undefined {
  return withVariable(file, id, {
    "accel-tcg": ["nova_compute_virt_type", "kvm"],
    "cpu-generic": ["nova_libvirt_cpu_mode", "host-model"],
    "discard-off": ["nova_hw_disk_discard", "unmap"],
  });
}

/** OpenStack-Ansible's variables with one finding fixed; undefined if no variable of its role does it. */
export function fixAnsible(file: InputFile, { id, vm }: FixTarget): string | undefined {
  if (vm.managedBy !== "openstack-ansible") return undefined;
  return withVariable(file, id, {
    "accel-tcg": ["nova_virt_type", "kvm"],
    "cpu-generic": ["nova_cpu_mode", "host-model"],
    "cache-librbd-on": ["nova_libvirt_disk_cachemodes", "network=none"],
    "cache-unsafe": ["nova_libvirt_disk_cachemodes", "network=none"],
    "discard-off": ["nova_libvirt_hw_disk_discard", "unmap"],
  });
}

function withVariable({ text }: InputFile, id: string, variables: Variables): string | undefined {
  const variable = Object.hasOwn(variables, id) ? variables[id] : undefined;
  if (variable === undefined) return undefined;
  const file = new YamlText(text);
  const [name, value] = variable;
  return file.set(0, [name], value) ? file.text : undefined;
}

import type { Finding } from "../findings/finding.ts";
import type { Vm } from "../model/vm.ts";

const choice =
  "whether it helps depends on the cluster and the load: measure it first (siphon doctor vm FILE --measure)";
const facts = "the change needs what these files do not have";

/** Why a finding has no patch in any file of a VM: what is missing, or where the change is made instead. */
const ofFinding: Readonly<Record<string, string>> = {
  "cache-writeback-depends": choice,
  "iothread-shared": choice,
  "queues-unmapped-iothreads": choice,
  "secure-cost": "it is a choice between the safety of the wire and CPU time",
  "raw-layer": "it is not worth a change on its own",
  "machine-i440fx": "an installed guest would see other hardware: it is for new VMs",
  "mon-single": `${facts}: the addresses of the other monitors (ceph mon dump)`,
  "client-admin": `${facts}: another user with its key (ceph auth get-or-create)`,
  "key-exposed": `${facts}: a file with the key, and after that a new key`,
  "auth-none": `${facts}: a user with its key, and cephx switched on for the whole cluster`,
  "single-librados-client": `${facts}: how the images are best spread over clients`,
  "format-qcow2-on-rbd": "the data must be converted first, with the VM stopped",
  "option-misplaced": "only you know whether the option is wanted: in the right place it takes effect",
  "allocator-libc": "the allocator is chosen by the program that starts QEMU",
  "conf-elsewhere": "only you know which of the settings is meant",
};

/**
 * A sentence that says why there is no patch.
 *
 * @param patchable whether any of the files is in a format that has patches
 */
export function whyNoPatch({ id, takes }: Finding, patchable: boolean): string {
  const because =
    (Object.hasOwn(ofFinding, id) ? ofFinding[id] : undefined) ??
    (takes === "nothing to do"
      ? "there is nothing to change"
      : patchable
        ? "the change is not made in these files, but by the commands above"
        : "there are no patches for files of this format");
  return `There is no patch: ${because}.`;
}

/** Systems that regenerate a VM's definition at every start. */
const writers: Readonly<Record<string, string>> = {
  opennebula: "OpenNebula",
  "openstack-nova": "Nova",
  cloudstack: "CloudStack",
  kubevirt: "KubeVirt",
  ovirt: "oVirt",
  ganeti: "Ganeti",
  incus: "Incus",
  proxmox: "Proxmox",
  libvirt: "libvirt",
};

/** A note on the patch of a generated file: it shows the change, but does not last. */
export function rewrittenBy({ platform, managedBy }: Vm, format: string): string | undefined {
  const manager = managedBy ?? (platform === "opennebula" ? "opennebula" : undefined);
  if (
    (format !== "libvirt" && format !== "qemu") ||
    manager === undefined ||
    !Object.hasOwn(writers, manager)
  )
    return undefined;
  return `${writers[manager]} writes this anew when it starts the VM: make the change as above; the patch shows what comes of it.`;
}

import type { Subject } from "./finding.ts";

/** A `qm set` command, with the VM's id if it is known. */
export function qmSet({ vm }: Subject, rest: string): string {
  return `qm set ${vm.id ?? "VMID"} ${rest}`;
}

/** A `qm set` command that changes properties of the disk; undefined removes one. */
export function qmDisk({ vm, disk }: Subject, changes: Readonly<Record<string, string | undefined>>): string {
  const name = disk?.name ?? "DISK";
  const id = vm.id ?? "VMID";
  if (disk === undefined) {
    const words = Object.entries(changes).map(([key, value]) =>
      value === undefined ? `without ${key}` : `with ${key}=${value}`,
    );
    return `qm set ${id} --${name} VOLUME,... (as it is, ${words.slice(0, 3).join(", ")})`;
  }
  // The disk's line is unknown for a running VM, so the command takes it from the configuration.
  if (disk.written === undefined) return qmEdit(id, name.replace(/^drive-/, ""), changes);
  const parts = disk.written.split(",");
  const kept = parts.filter((part, index) => index === 0 || !Object.hasOwn(changes, part.split("=")[0]!));
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) kept.push(`${key}=${value}`);
  return `qm set ${id} --${name} ${kept.join(",")}`;
}

/** A shell command that changes properties in the disk's line of the configuration. */
function qmEdit(id: string, name: string, changes: Readonly<Record<string, string | undefined>>): string {
  const keys = Object.keys(changes).filter(
    (key) => !Object.keys(changes).some((each) => key.startsWith(`${each}_`)),
  );
  const isFamily = Object.keys(changes).length > keys.length;
  const gone = `,${keys.length > 1 ? `(${keys.join("|")})` : keys[0]}${isFamily ? "[a-z_]*" : ""}=[^,]*`;
  const added = Object.entries(changes).flatMap(([key, value]) =>
    value === undefined ? [] : [`,${key}=${value}`],
  );
  return `qm set ${id} --${name} "$(qm config ${id} | sed -nE 's/${gone}//g; s/^${name}: //p')${added.join("")}"`;
}

/** The name of a disk in Proxmox's configuration: QEMU's command line has it as `drive-scsi0`. */
export function proxmoxName(subject: Subject): string {
  return diskName(subject).replace(/^drive-/, "");
}

/** The volume of a Proxmox disk, as in the configuration. */
export function volumeOf({ disk }: Subject): string {
  return disk?.written?.split(",")[0] ?? "VOLUME";
}

/** A libvirt disk's `<driver>` with the given attributes. */
export function driverLine(attributes: string): string {
  return `<driver name='qemu' type='raw' ${attributes}/>`;
}

export function vmName({ vm }: Subject): string {
  return vm.name === undefined || vm.name === "" ? "VM" : vm.name;
}

export function diskName({ disk }: Subject): string {
  return disk?.name ?? "DISK";
}

import type { QemuOption } from "./arguments.ts";

/** A Proxmox VM's id, from `-id`, an option of Proxmox's QEMU, or from the names of the VM's sockets. */
export function proxmoxId(options: readonly QemuOption[]): string | undefined {
  const given = options.findLast(({ name }) => name === "id")?.value;
  if (given !== undefined) return given;
  for (const { value } of options) {
    const id = /qemu-server\/(\d+)\.(?:qmp|pid)\b/.exec(value)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

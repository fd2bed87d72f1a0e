import type { QemuOption } from "./arguments.ts";

/** The id of a VM of Proxmox: of `-id`, which its own QEMU takes, or of the sockets that it makes for each VM. */
export function proxmoxId(options: readonly QemuOption[]): string | undefined {
  const given = options.findLast(({ name }) => name === "id")?.value;
  if (given !== undefined) return given;
  for (const { value } of options) {
    const id = /qemu-server\/(\d+)\.(?:qmp|pid)\b/.exec(value)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

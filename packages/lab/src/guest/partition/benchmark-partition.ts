import { LabError } from "../../errors.ts";
import type { GuestControl } from "../control.ts";
import { mbrSector } from "./mbr.ts";
import { planPartition, TABLE_SECTORS } from "./plan.ts";

/** A block device in the guest. */
export interface GuestDevice {
  /** `/dev/vda2` */
  path: string;
  bytes: number;
}

/**
 * The partition of the guest's root disk for measurements, created in the free space after the others if it does not
 * exist. It needs no partitioning program in the guest: the table is read and written as bytes.
 */
export async function benchmarkPartition(guest: GuestControl, signal?: AbortSignal): Promise<GuestDevice> {
  const sh = async (command: string) => {
    const { exitCode, stdout, stderr } = await guest.run(command, { signal });
    if (exitCode === 0) return stdout.trim();
    throw new LabError("SIPHON_GUEST", `cannot make a partition on the guest's disk: ${stderr.trim()}`);
  };
  const disk = oneDisk(await sh(WRITABLE_DISKS));
  const diskSectors = Number(await sh(`cat /sys/block/${disk}/size`));
  const start = await sh(
    `dd if=/dev/${disk} bs=${mbrSector} count=${TABLE_SECTORS} status=none | base64 -w 0`,
  );
  const plan = planPartition(Buffer.from(start, "base64"), diskSectors);
  for (const { sector, data } of plan.writes) {
    const dd = `dd of=/dev/${disk} bs=${mbrSector} seek=${sector} conv=notrunc,fsync status=none`;
    await sh(`echo ${data.toString("base64")} | base64 -d | ${dd}`);
  }
  // The kernel re-reads a table only if nothing on the disk is mounted, but adds single partitions at any time.
  const name = `${disk}${plan.number}`;
  await sh(`[ -b /dev/${name} ] || { partx -a -n ${plan.number} /dev/${disk} && udevadm settle; }`);
  return { path: `/dev/${name}`, bytes: plan.sectors * mbrSector };
}

/** Names of writable disks, without seeds and CDs. */
const WRITABLE_DISKS =
  'for disk in /sys/block/[sv]d*; do [ "$(cat $disk/ro)" = 1 ] || basename "$disk"; done';

function oneDisk(names: string): string {
  const disks = names.split("\n").filter(Boolean);
  if (disks.length === 1) return disks[0];
  const found = disks.length === 0 ? "none" : disks.join(", ");
  throw new LabError("SIPHON_GUEST", `the guest should have one disk that can be written, but has: ${found}`);
}

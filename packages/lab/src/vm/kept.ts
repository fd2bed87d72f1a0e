import { LabError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import { isRunning, type ProcessId } from "../host/proc.ts";
import { Resource } from "../state/resource.ts";
import type { Accelerator, Network, QemuCommand } from "./arguments.ts";
import { Qemu } from "./qemu.ts";
import type { VmSettings } from "./settings.ts";

/** Details in a VM's lease for other processes; all but `qemu` is there before QEMU is started. */
export interface VmDetails extends Record<string, unknown> {
  command: QemuCommand;
  settings: VmSettings;
  accelerator: Accelerator;
  network?: Network;
  guest: Guest["details"];
  qemu?: ProcessId;
  /** The root directory that QEMU comes from. */
  root?: string;
}

export interface VmSummary {
  name: string;
  /** "left behind": its maker died before it could end it; `siphon clean` removes it. */
  state: "running" | "ended" | "left behind";
  created: Date;
  pid: number | undefined;
  details: VmDetails;
}

/** All VMs of this user, in the order of their names. */
export async function listVms(): Promise<VmSummary[]> {
  const resources = await Resource.list("vms");
  return resources.filter(({ details }) => details.command !== undefined).map(summary);
}

/** Ends a VM, whichever process started it, and removes its files; throws SIPHON_NOT_FOUND. */
export async function stopVm(name: string, { graceMs = 10_000 } = {}): Promise<void> {
  const resource = await findVmResource(name);
  const { qemu: id } = resource.details as VmDetails;
  // Its maker, if that still runs, holds the control connection: then it can only be killed.
  const qemu = id && (await Qemu.find(resource, id, { timeoutMs: 2_000 }).catch(() => undefined));
  await qemu?.quit(graceMs);
  await resource.remove();
}

/** The lease of a VM; throws SIPHON_NOT_FOUND. */
export async function findVmResource(name: string): Promise<Resource> {
  const resource = await Resource.find("vms", name);
  if (resource?.details.command) return resource;
  throw new LabError("SIPHON_NOT_FOUND", `there is no VM ${name}`, { hint: "list VMs with: siphon vm list" });
}

function summary(resource: Resource): VmSummary {
  const details = resource.details as VmDetails;
  const running = details.qemu !== undefined && isRunning(details.qemu);
  const state = !running ? "ended" : resource.stale ? "left behind" : "running";
  return { name: resource.name, state, created: resource.created, pid: details.qemu?.pid, details };
}

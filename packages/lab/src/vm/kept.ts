import { LabError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import { isRunning, type ProcessId } from "../host/proc.ts";
import { Resource } from "../state/resource.ts";
import type { Accelerator, Network, QemuCommand } from "./arguments.ts";
import { Qemu } from "./qemu.ts";
import type { VmSettings } from "./settings.ts";

/** Details in a VM's lease for other processes; all but `qemu` are written before QEMU starts. */
export interface VmDetails extends Record<string, unknown> {
  command: QemuCommand;
  settings: VmSettings;
  accelerator: Accelerator;
  network?: Network;
  guest: Guest["details"];
  qemu?: ProcessId;
  /** QEMU's root directory. */
  root?: string;
}

export interface VmSummary {
  name: string;
  /** "left behind": its creator died; `siphon clean` removes it. */
  state: "running" | "ended" | "left behind";
  created: Date;
  pid: number | undefined;
  details: VmDetails;
}

/** All VMs of this user, sorted by name. */
export async function listVms(): Promise<VmSummary[]> {
  const resources = await Resource.list("vms");
  return resources.filter(({ details }) => details.command !== undefined).map(summary);
}

/** Ends a VM of any process, and removes its files; throws SIPHON_NOT_FOUND. */
export async function stopVm(name: string, { graceMs = 10_000 } = {}): Promise<void> {
  const resource = await findVmResource(name);
  const { qemu: id } = resource.details as VmDetails;
  // If its creator is still running, it has the control connection: then QEMU can only be killed.
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

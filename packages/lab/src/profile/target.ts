import { LabError } from "../errors.ts";
import { isRunning, type ProcessId } from "../host/proc.ts";
import { Resource } from "../state/resource.ts";

/**
 * The pid of a user's argument: a number, or the name of one of siphon's VMs.
 *
 * @throws LabError SIPHON_NOT_FOUND
 */
export async function profilePid(target: string): Promise<number> {
  if (/^\d+$/.test(target)) return Number(target);
  const vm = await Resource.find("vms", target);
  const qemu = vm?.details.qemu as ProcessId | undefined;
  if (qemu && isRunning(qemu)) return qemu.pid;
  const what = vm ? `the VM ${target} does not run any more` : `there is no VM ${target}`;
  throw new LabError("SIPHON_NOT_FOUND", what, {
    hint: "name a running process by its pid, or a VM of siphon by its name (siphon vm list)",
  });
}

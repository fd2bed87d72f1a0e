import { longestTimer } from "@siphon/wire";
import { LabError } from "../errors.ts";
import type { GuestControl } from "../guest/control.ts";
import type { Guest, GuestAccess } from "../guest/guest.ts";
import { PatientSignal } from "../host/patience.ts";
import type { Resource } from "../state/resource.ts";
import { vmFiles } from "./arguments.ts";
import { lastConsoleLine } from "./failure.ts";
import type { Qemu } from "./qemu.ts";
import { qemuPatience } from "./qemu-patience.ts";

export interface EnterOptions extends Pick<GuestAccess, "network" | "signal"> {
  guest: Guest;
  /** Milliseconds for the guest to answer; by default it may take as long as QEMU makes progress. */
  bootTimeoutMs?: number;
}

/**
 * Waits until the guest of a VM answers.
 *
 * @throws LabError SIPHON_GUEST if it does not in time, or the reason of QEMU's end
 */
export async function enterGuest(
  qemu: Qemu,
  resource: Resource,
  { guest, network, bootTimeoutMs, signal }: EnterOptions,
): Promise<GuestControl> {
  using booting =
    bootTimeoutMs === undefined
      ? new PatientSignal(qemuPatience(qemu.id.pid), "the guest did not answer")
      : undefined;
  const signals = [signal, booting?.signal].filter((each) => each !== undefined);
  const access = {
    agentSocket: resource.path(vmFiles.agent),
    network,
    timeoutMs: bootTimeoutMs ?? longestTimer,
    signal: AbortSignal.any(signals),
    qemuEnded: qemu.ended,
  };
  try {
    return await qemu.whileRunning(guest.connect(access));
  } catch (error) {
    if (!(error instanceof LabError && error.code === "SIPHON_TIMEOUT")) throw error;
    const when = booting?.over ?? `within ${access.timeoutMs / 1000} s`;
    const message = `the guest of VM ${resource.name} did not answer ${when}; ${lastConsoleLine(resource)}`;
    throw new LabError("SIPHON_GUEST", message, { cause: error, retryable: true });
  }
}

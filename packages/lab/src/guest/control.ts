import type { RunResult } from "../host/command.ts";

export interface GuestRunOptions {
  /** Milliseconds until it is given up (SIPHON_TIMEOUT); 60,000 unless told. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * The way into a running guest, whatever the wire: virtio-serial for the small guest, ssh for a big image.
 * Closing it leaves the guest running.
 */
export interface GuestControl extends AsyncDisposable {
  /**
   * Runs a shell command as root and returns what it said, whatever its exit code is.
   *
   * @throws LabError SIPHON_GUEST when the guest cannot be reached, SIPHON_VM when its QEMU has ended, SIPHON_TIMEOUT
   */
  run(command: string, options?: GuestRunOptions): Promise<RunResult>;
}

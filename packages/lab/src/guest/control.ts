import type { RunResult } from "../host/command.ts";

export interface GuestRunOptions {
  /** Milliseconds until SIPHON_TIMEOUT; default 60,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Access to a running guest: over virtio-serial for the small guest, over ssh for other images. Closing it leaves the
 * guest running.
 */
export interface GuestControl extends AsyncDisposable {
  /**
   * Runs a shell command as root and returns its output, whatever its exit code.
   *
   * @throws LabError SIPHON_GUEST when the guest cannot be reached, SIPHON_VM when its QEMU has ended, SIPHON_TIMEOUT
   */
  run(command: string, options?: GuestRunOptions): Promise<RunResult>;
}

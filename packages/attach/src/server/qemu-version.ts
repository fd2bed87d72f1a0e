import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** QEMU by the names that distributions give it, the one for virtual machines of this machine's own kind. */
const programs = [
  `qemu-system-${process.arch === "arm64" ? "aarch64" : "x86_64"}`,
  "/usr/libexec/qemu-kvm",
  "qemu-kvm",
];

/** The version of the QEMU that this host would run a VM with, as it says itself: `7.2.22`; undefined where there is none. */
export async function hostQemuVersion(): Promise<string | undefined> {
  for (const program of programs) {
    const said = await exec(program, ["--version"], { timeout: 10_000 }).catch(() => undefined);
    const version = /version (\d+(?:\.\d+)+)/.exec(said?.stdout ?? "")?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Versions of QEMU: from the first on, and before the second if there is one. */
export interface QemuVersions {
  readonly from: string;
  readonly before?: string;
}

/** The first with `reconnect-delay` of NBD, and with inflight areas of vhost-user-blk. */
export const firstQemu = "4.2";
/** The first with `reconnect-ms`. Version 11 has no `reconnect` any more. */
const firstWithMilliseconds = "9.2";

/**
 * How a QEMU of some version is told to connect again once a second: the option of its socket chardev, by the same name on the command
 * line and in QMP.
 *
 * @param version the newest where it is not known
 */
export function reconnectOption(version: string | undefined): { "reconnect-ms": 1000 } | { reconnect: 1 } {
  return isBefore(version, firstWithMilliseconds) ? { reconnect: 1 } : { "reconnect-ms": 1000 };
}

/** The versions that take the same option as this one. */
export function versionsAlike(version: string | undefined): QemuVersions {
  if (isBefore(version, firstWithMilliseconds)) return { from: firstQemu, before: firstWithMilliseconds };
  return { from: firstWithMilliseconds };
}

/** In words. */
export function versionsText({ from, before }: QemuVersions): string {
  return before === undefined ? `QEMU ${from} and newer` : `QEMU from ${from} on and before ${before}`;
}

/** Whether a version is known, and older than another. */
export function isBefore(version: string | undefined, limit: string): boolean {
  if (version === undefined) return false;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [limitMajor = 0, limitMinor = 0] = limit.split(".").map(Number);
  return major < limitMajor || (major === limitMajor && minor < limitMinor);
}

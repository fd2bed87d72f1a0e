import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Names that distributions give to the QEMU for this machine's architecture. */
const programs = [
  `qemu-system-${process.arch === "arm64" ? "aarch64" : "x86_64"}`,
  "/usr/libexec/qemu-kvm",
  "qemu-kvm",
];

/** The version of this host's QEMU, as it reports: `7.2.22`; undefined without QEMU. */
export async function hostQemuVersion(): Promise<string | undefined> {
  for (const program of programs) {
    const said = await exec(program, ["--version"], { timeout: 10_000 }).catch(() => undefined);
    const version = /version (\d+(?:\.\d+)+)/.exec(said?.stdout ?? "")?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** A range of QEMU versions: from the first, and before the second, if set. */
export interface QemuVersions {
  readonly from: string;
  readonly before?: string;
}

/** The first with `reconnect-delay` of NBD, and with inflight areas of vhost-user-blk. */
export const firstQemu = "4.2";
/** The first with `reconnect-ms`. Version 11 has no `reconnect` any more. */
const firstWithMilliseconds = "9.2";

/**
 * The option of QEMU's socket chardev that makes it reconnect once a second. It has the same name on the command line
 * and in QMP.
 *
 * @param version undefined: the newest
 */
export function reconnectOption(version: string | undefined): { "reconnect-ms": 1000 } | { reconnect: 1 } {
  return isBefore(version, firstWithMilliseconds) ? { reconnect: 1 } : { "reconnect-ms": 1000 };
}

/** The versions that accept the same option as this one. */
export function versionsAlike(version: string | undefined): QemuVersions {
  if (isBefore(version, firstWithMilliseconds)) return { from: firstQemu, before: firstWithMilliseconds };
  return { from: firstWithMilliseconds };
}

/** In words. */
export function versionsText({ from, before }: QemuVersions): string {
  return before === undefined ? `QEMU ${from} and newer` : `QEMU from ${from} on and before ${before}`;
}

/** Whether a version is known and older than another. */
export function isBefore(version: string | undefined, limit: string): boolean {
  if (version === undefined) return false;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [limitMajor = 0, limitMinor = 0] = limit.split(".").map(Number);
  return major < limitMajor || (major === limitMajor && minor < limitMinor);
}

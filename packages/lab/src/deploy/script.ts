import { shellQuote } from "../vm/escape.ts";

/** Variable in the environment of every process on a host that works for a deployment: the directory there. */
export const DEPLOYMENT_VARIABLE = "SIPHON_DEPLOYMENT";

/**
 * A script for a POSIX shell that stops at the first failure. It is read whole before it runs, and its programs
 * get an empty standard input: the script itself comes in by the shell's.
 */
export function script(lines: string[]): string {
  const head = [
    "set -eu",
    "umask 077",
    'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"',
    "export PATH LC_ALL=C",
    "unset CEPH_CONF CEPH_ARGS CEPH_KEYRING || :",
  ];
  return ["{", ...head, ...lines, "exit 0", "} < /dev/null", ""].join("\n");
}

/** A command line of a script. */
export function words(...parts: string[]): string {
  return parts.map(shellQuote).join(" ");
}

/** Writes a file, by the shell itself: what is in it is in no program's arguments. */
export function writing(path: string, content: string | Buffer): string {
  return `printf %s '${Buffer.from(content).toString("base64")}' | base64 -d > ${shellQuote(path)}`;
}

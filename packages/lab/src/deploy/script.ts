import { shellQuote } from "../vm/escape.ts";

/** Environment variable of every process of a deployment on a host: the directory there. */
export const DEPLOYMENT_VARIABLE = "SIPHON_DEPLOYMENT";

/**
 * A script for a POSIX shell that stops at the first failure. The shell reads it completely from standard input before
 * it runs; its programs get an empty standard input.
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

/** Writes a file with a shell builtin, so that its content is in no program's arguments. */
export function writing(path: string, content: string | Buffer): string {
  return `printf %s '${Buffer.from(content).toString("base64")}' | base64 -d > ${shellQuote(path)}`;
}

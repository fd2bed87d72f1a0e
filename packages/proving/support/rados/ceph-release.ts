import { execFileSync } from "node:child_process";

/** The major release of the Ceph that tests start (16, 18, 20), and the type of the keys that it makes. */
export const cephRelease = Number(/^ceph version (\d+)\./.exec(said("ceph", "--version"))?.[1]);

const keyPrefix = said("ceph-authtool", "--gen-print-key").slice(0, 2);
export const hasAes256k = keyPrefix === "Ag";

function said(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

import { run } from "./command.ts";
import { host, type Platform, withProgram } from "./platform.ts";

/** Versions of the programs that figures depend on; undefined for missing ones. */
export interface Versions {
  qemu: string | undefined;
  ceph: string | undefined;
  fio: string | undefined;
  node: string;
}

export async function versions(platforms: { ceph?: Platform; qemu?: Platform } = {}): Promise<Versions> {
  const { ceph: cephFrom = host, qemu: qemuFrom = host } = platforms;
  const [qemu, ceph, fio] = await Promise.all([
    versionOf(qemuFrom, "qemu-system-x86_64", /version ([\d.]+(?: \([^)]*\))?)/),
    // librbd has the version of the command line tools.
    versionOf(cephFrom, "rbd", /ceph version (\S+)/),
    versionOf(withProgram(cephFrom, "fio"), "fio", /fio-(\S+)/),
  ]);
  return { qemu, ceph, fio, node: process.versions.node };
}

/** The major version of QEMU; 0 without QEMU. */
export function majorOf(version: string | undefined): number {
  return Number.parseInt(version ?? "0", 10);
}

async function versionOf(from: Platform, program: string, pattern: RegExp): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ["--version"], { from, anyExitCode: true });
    return pattern.exec(stdout)?.[1]?.trim();
  } catch {
    return undefined;
  }
}

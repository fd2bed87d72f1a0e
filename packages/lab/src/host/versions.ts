import { run } from "./command.ts";

/** Versions of the programs that figures depend on; undefined where one is not installed. */
export interface Versions {
  qemu: string | undefined;
  ceph: string | undefined;
  fio: string | undefined;
  node: string;
}

export async function versions(): Promise<Versions> {
  const [qemu, ceph, fio] = await Promise.all([
    versionOf("qemu-system-x86_64", /version ([\d.]+(?: \([^)]*\))?)/),
    // librbd comes from the same build as the command line tools.
    versionOf("rbd", /ceph version (\S+)/),
    versionOf("fio", /fio-(\S+)/),
  ]);
  return { qemu, ceph, fio, node: process.versions.node };
}

/** The major version of QEMU, 0 where there is none. */
export function majorOf(version: string | undefined): number {
  return Number.parseInt(version ?? "0", 10);
}

async function versionOf(program: string, pattern: RegExp): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ["--version"], { anyExitCode: true });
    return pattern.exec(stdout)?.[1]?.trim();
  } catch {
    return undefined;
  }
}

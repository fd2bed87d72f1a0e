import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { which } from "../../src/host/command.ts";

/** A root directory with nothing but a static busybox in it, under the names given; it is removed when disposed of. */
export async function smallRoot(
  programs: string[] = [],
  parent = tmpdir(),
): Promise<{ directory: string } & Disposable> {
  const directory = mkdtempSync(join(parent, "siphon-small-root-"));
  for (const each of ["usr/bin", "usr/sbin", "usr/lib", "etc/ceph", "proc"]) {
    mkdirSync(join(directory, each), { recursive: true });
  }
  for (const each of ["bin", "sbin", "lib"]) symlinkSync(`usr/${each}`, join(directory, each));
  copyFileSync((await which("busybox"))!, join(directory, "usr/bin/busybox"));
  for (const each of ["sh", "env", "true", "cat", "ls", "sleep", "touch", "mount", ...programs]) {
    symlinkSync("busybox", join(directory, "usr/bin", each));
  }
  writeFileSync(join(directory, "etc/os-release"), "PRETTY_NAME=small\n");
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

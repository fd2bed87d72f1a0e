import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Versions } from "./record.ts";

/** The versions that a machine's programs report. */
export async function versionsOf(machine: Machine): Promise<Versions> {
  const directory = mkdtempSync(join(tmpdir(), "siphon-versions-"));
  try {
    const ask = async (command: string, pattern: RegExp) => {
      const log = join(directory, "answer");
      rmSync(log, { force: true });
      await machine.run(command, { log });
      return pattern.exec(readFileSync(log, "utf8"))?.[1] ?? "";
    };
    return {
      system: await ask("cat /etc/os-release", /^PRETTY_NAME="(.*)"$/m),
      ceph: await ask("ceph --version", /version (\d[\d.]*)/),
      qemu: await ask("qemu-system-x86_64 --version", /version (\d[\d.]*)/),
      libvirt: await ask("libvirtd --version", /(\d+\.[\d.]*\d)/),
      node: await ask("/usr/bin/node --version", /v(\S+)/),
      npm: await ask("npm --version", /^(\d\S*)/m),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

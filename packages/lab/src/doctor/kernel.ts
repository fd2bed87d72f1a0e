import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { run } from "../host/command.ts";
import type { Finding } from "./finding.ts";

/** Abilities of this host's kernel besides running programs. */
export async function lookAtKernel(): Promise<Finding[]> {
  return [
    kernelModule("rbd", "kernel RBD on this host; without it, kernel RBD is measured inside a guest"),
    kernelModule("nbd", "NBD disks on this host; VMs do not need it"),
    await networks(),
  ];
}

function kernelModule(name: string, purpose: string): Finding {
  const found = findModule(name);
  if (found) return { name: `kernel module ${name}`, status: "ok", found, for: purpose };
  return {
    name: `kernel module ${name}`,
    status: "limited",
    found: `the running kernel (${release()}) has none`,
    for: purpose,
    fix: "boot a distribution's kernel with its modules installed",
  };
}

function findModule(name: string): string | undefined {
  if (existsSync(`/sys/module/${name}`)) return "loaded, or built in";
  const directory = `/lib/modules/${release()}`;
  for (const [list, found] of [
    ["modules.builtin", "built in"],
    ["modules.dep", "can be loaded"],
  ]) {
    const file = `${directory}/${list}`;
    if (existsSync(file) && new RegExp(`/${name}\\.ko`).test(readFileSync(file, "utf8"))) return found;
  }
  return undefined;
}

/** Private networks: need root (or its capabilities) and a kernel with namespaces and tap devices. */
async function networks(): Promise<Finding> {
  const finding = {
    name: "networks of its own",
    for: "a guest that speaks to the cluster itself, several hosts on one",
  };
  if (!existsSync("/dev/net/tun")) {
    return { ...finding, status: "limited", found: "there is no /dev/net/tun", fix: "modprobe tun" };
  }
  const probe = await run("unshare", ["--net", "true"], { anyExitCode: true }).catch((cause: Error) => ({
    exitCode: -1,
    stderr: cause.message,
  }));
  if (probe.exitCode === 0) return { ...finding, status: "ok", found: "namespaces and taps can be made" };
  return { ...finding, status: "limited", found: probe.stderr.trim(), fix: "run siphon as root for this" };
}

import { type RunResult, run } from "../host/command.ts";
import { majorOf } from "../host/versions.ts";
import { qemuProgram } from "../vm/arguments.ts";
import type { Finding } from "./finding.ts";

/** Build options of QEMU and fio that decide which rungs can run. */
export async function lookAtQemuAndFio(): Promise<Finding[]> {
  const [version, machines, rbd, engines] = await Promise.all([
    said(qemuProgram, ["--version"]),
    said(qemuProgram, ["-M", "help"]),
    // The file does not exist, so an existing driver fails at opening it.
    said("qemu-img", ["info", "--image-opts", "driver=rbd,pool=p,image=i,conf=/nonexistent/ceph.conf"]),
    said("fio", ["--enghelp"]),
  ]);
  const qemu = /version ([\d.]+)/.exec(version)?.[1];
  const types = ["pc", "q35"].filter((type) => new RegExp(`^${type} `, "m").test(machines));
  return [
    {
      name: "QEMU's rbd driver",
      ...yes(/conf file/.test(rbd), "it loads", rbd.trim() || "qemu-img does not run"),
      for: "every rung but those of siphon's own attachments",
      packages: { apt: "qemu-block-extra", dnf: "qemu-block-rbd", pacman: null },
    },
    {
      name: "machine types",
      ...yes(types.length === 2, types.join(", "), types.join(", ") || "none"),
      for: "the pc and q35 rungs",
      packages: { apt: "qemu-system-x86", dnf: "qemu-system-x86", pacman: "qemu-system-x86" },
    },
    {
      name: "iothread-vq-mapping",
      status: majorOf(qemu) >= 9 ? "ok" : "limited",
      found: qemu ? `QEMU ${qemu}` : "no QEMU",
      for: "several I/O threads for one disk; without it the multiqueue rung has one",
      fix: majorOf(qemu) >= 9 ? undefined : "QEMU 9.0 or newer",
    },
    engine(engines, "rbd", "the baseline without a VM, and filling images"),
    engine(engines, "libaio", "the load in the guest"),
  ];
}

function engine(engines: string, name: "rbd" | "libaio", purpose: string): Finding {
  return {
    name: `fio's ${name} engine`,
    ...yes(new RegExp(`^\\s*${name}$`, "m").test(engines), "it is there", "fio has none"),
    for: purpose,
    packages: { apt: "fio", dnf: `fio-engine-${name}`, pacman: null },
  };
}

function yes(there: boolean, found: string, otherwise: string): Pick<Finding, "status" | "found"> {
  return there ? { status: "ok", found } : { status: "missing", found: otherwise };
}

/** A program's output; empty if it is not installed. */
async function said(program: string, args: string[]): Promise<string> {
  try {
    const { stdout, stderr }: RunResult = await run(program, args, { anyExitCode: true, timeoutMs: 20_000 });
    return stdout + stderr;
  } catch {
    return "";
  }
}

import { smallGuest } from "../guest/small.ts";
import { versions } from "../host/versions.ts";
import { type AcceleratorChoice, chooseAccelerator } from "../vm/accelerator.ts";
import type { Finding, HostReport, Section } from "./finding.ts";
import { lookAtKernel } from "./kernel.ts";
import { findLibrbds } from "./librbd.ts";
import { lookAtMachine } from "./machine.ts";
import { lookAt, needs } from "./needs.ts";
import { lookAtQemuAndFio } from "./qemu.ts";

export interface HostDoctorOptions {
  /** Find out whether KVM boots a guest by booting one, unless that is known since this host was booted. */
  bootGuest?: boolean;
  signal?: AbortSignal;
}

/** Looks at all that siphon wants of a machine. */
export async function examineHost({ bootGuest = true, signal }: HostDoctorOptions = {}): Promise<HostReport> {
  const [machine, cephs, librbds, qemu, kernel] = await Promise.all([
    lookAtMachine(),
    lookAtVersions(),
    lookAtLibrbds(),
    lookAtQemuAndFio(),
    lookAtKernel(),
  ]);
  // What was tried out needs not be looked for as well.
  const programs = needs.run.map(lookAt).filter(({ name }) => !qemu.some((tried) => tried.name === name));
  const acceleration = bootGuest ? [await lookAtKvm(signal)] : [];
  const sections: Section[] = [
    { title: "Machine", findings: [...machine, ...acceleration] },
    { title: "Programs and libraries", findings: [...cephs, ...programs] },
    { title: "librbd", findings: librbds },
    { title: "QEMU and fio", findings: qemu },
    { title: "Kernel", findings: kernel },
    { title: "For the tests only", findings: needs.test.map((need) => lookAt({ ...need, optional: true })) },
  ];
  return {
    sections,
    ready: sections.every(({ findings }) => findings.every(({ status }) => status !== "missing")),
  };
}

async function lookAtVersions(): Promise<Finding[]> {
  const found = await versions();
  const names = { ceph: "Ceph", qemu: "QEMU", fio: "fio", node: "Node" };
  return Object.entries(names).map(([key, name]) => {
    const version = found[key as keyof typeof names];
    return { name, status: version ? "ok" : "missing", found: version ?? "not installed", for: "every run" };
  });
}

async function lookAtLibrbds(): Promise<Finding[]> {
  const librbds = await findLibrbds();
  const findings = librbds.map(({ directory, ceph, library, standard }): Finding => {
    const version = [ceph && `Ceph ${ceph}`, library && `library ${library}`].filter(Boolean).join(", ");
    return {
      name: directory,
      status: "ok",
      found: version || "of unknown version",
      for: standard ? "QEMU and fio load this one" : `the new-librbd rung: --librbd ${directory}`,
    };
  });
  if (findings.length >= 2) return findings;
  const another: Finding = {
    name: "another build",
    status: "limited",
    found: "none in the usual places",
    for: "the new-librbd rung, which compares two builds",
    fix: "install or unpack another Ceph's librbd (with its libceph-common) and name it: --librbd DIR",
  };
  return [...findings, another];
}

async function lookAtKvm(signal?: AbortSignal): Promise<Finding> {
  const finding = {
    name: "KVM",
    for: "guests at full speed; without it they are emulated: rungs can be ranked, no more",
  };
  let choice: AcceleratorChoice;
  try {
    choice = await chooseAccelerator("auto", smallGuest, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const found = `could not be tried: ${(error as Error).message}`;
    return { ...finding, status: "limited", found };
  }
  if (choice.name === "kvm") return { ...finding, status: "ok", found: choice.reason };
  return {
    ...finding,
    status: "limited",
    found: choice.reason,
    fix: "run on hardware, or in a VM whose host offers nested virtualisation, as a user who may open /dev/kvm",
  };
}

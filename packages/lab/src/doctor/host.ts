import { smallGuest } from "../guest/small.ts";
import { versions } from "../host/versions.ts";
import { type AcceleratorChoice, chooseAccelerator } from "../vm/accelerator.ts";
import type { Finding, HostReport, Section } from "./finding.ts";
import { lookAtKernel } from "./kernel.ts";
import { findLibrbds } from "./librbd.ts";
import { lookAtMachine } from "./machine.ts";
import { lookAt, needs } from "./needs.ts";
import { lookAtQemuAndFio } from "./qemu.ts";
import { lookAtRoots } from "./roots.ts";

export interface HostDoctorOptions {
  /** Test whether KVM works by booting a guest, unless the result since the host's boot is known. */
  bootGuest?: boolean;
  signal?: AbortSignal;
}

/** Checks everything that siphon needs of a machine. */
export async function examineHost({ bootGuest = true, signal }: HostDoctorOptions = {}): Promise<HostReport> {
  const [machine, programs, librbds, qemu, kernel, roots] = await Promise.all([
    lookAtMachine(),
    lookAtPrograms(),
    lookAtLibrbds(),
    lookAtQemuAndFio(),
    lookAtKernel(),
    lookAtRoots(),
  ]);
  // A program that was tested need not be searched for.
  const notTried = ({ name }: Finding) => !qemu.some((tried) => tried.name === name);
  const acceleration = bootGuest ? [await lookAtKvm(signal)] : [];
  const sections: Section[] = [
    { title: "Machine", findings: [...machine, ...acceleration] },
    { title: "Programs and libraries", findings: programs.filter(notTried) },
    { title: "librbd", findings: librbds },
    { title: "QEMU and fio", findings: qemu },
    { title: "Roots with other releases", findings: roots },
    { title: "Kernel", findings: kernel },
    { title: "For the tests only", findings: needs.test.map((need) => lookAt({ ...need, optional: true })) },
  ];
  return {
    sections,
    ready: sections.every(({ findings }) => findings.every(({ status }) => status !== "missing")),
  };
}

/** Needed programs and libraries, with versions if figures depend on them. */
async function lookAtPrograms(): Promise<Finding[]> {
  const { ceph, qemu, fio } = await versions();
  const known: Record<string, string | undefined> = {
    "ceph, rbd, rados": ceph,
    "qemu-system-x86_64": qemu,
    fio,
  };
  return needs.run.map((need) => {
    const finding = lookAt(need);
    const version = finding.status === "ok" ? known[need.need] : undefined;
    return version ? { ...finding, found: `${version} (${finding.found})` } : finding;
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
    for: "guests at full speed; without KVM they are emulated, which only ranks the rungs",
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

import type { Disk } from "../model/disk.ts";
import type { Place } from "../model/place.ts";
import type { Vm } from "../model/vm.ts";
import type { RungName } from "./rungs.ts";

/**
 * high: about a factor of two or more, or loss of data. medium: measurable in normal use, or a risk in operation. low: small, or
 * only space. info: context, or the effect depends on the workload: measure.
 */
export type Severity = "high" | "medium" | "low" | "info";

export const severities: readonly Severity[] = ["high", "medium", "low", "info"];

/** The measured gain of a change. */
export interface Worth {
  text: string;
  source: string;
  /** The ratio of IOPS, if the figure is one. */
  factor?: number;
  /** 95 % confidence interval of the ratio, from the user's own run. */
  interval?: readonly [low: number, high: number];
}

/** When a change takes effect. */
export type Takes = "live" | "restart" | "new VMs" | "new images" | "nothing to do";

/** Where and why a finding applies. Fields that are absent default to the finding's own. */
export interface Hit {
  place: Place;
  why?: string;
  severity?: Severity;
  /** The worth of this hit, if another figure fits better than the finding's; null if no figure fits. */
  worth?: Worth | null;
}

/** The VM and the disk that a finding's words name. */
export interface Subject {
  vm: Vm;
  disk?: Disk;
}

/** The change: fixed words, or words made from what was found. */
export type FixWords = string | ((subject: Subject) => string);

/** The syntax of a change: a platform's, or that of a system that manages one. */
export type Syntax =
  | "qemu"
  | "libvirt"
  | "proxmox"
  | "kubevirt"
  | "openstack"
  | "openstack-nova"
  | "kolla"
  | "openstack-ansible"
  | "rook"
  | "incus"
  | "opennebula"
  | "spdk"
  | "ceph-nvmeof"
  | "ceph-conf"
  | "cloudstack"
  | "ganeti"
  | "ovirt"
  | "any";

/** One piece of knowledge: what can be wrong, when it applies, what it costs, and what fixes it. */
export interface Finding {
  id: string;
  title: string;
  severity: Severity;
  /** The ladder rung that measures it and shares its words. */
  rung?: RungName;
  /** When it applies, and when it does not, in words. */
  when: string;
  not: string;
  why: string;
  worth: Worth | null;
  /** When the change is wrong. */
  wrong: string;
  takes: Takes;
  /** How to measure the worth on this system, if the ladder cannot. */
  measure?: string;
  sources?: readonly string[];
  /** Pure functions: whether the finding applies to a disk, or to the VM as a whole. */
  disk?: (disk: Disk, vm: Vm) => Hit | undefined;
  vm?: (vm: Vm) => Hit | readonly Hit[] | undefined;
  fix: Partial<Record<Syntax, FixWords>>;
}

/** The change in the syntax of the input's platform. */
export function fixWords(finding: Finding, subject: Subject): string {
  const { managedBy, platform } = subject.vm;
  const words =
    (managedBy !== undefined && Object.hasOwn(finding.fix, managedBy)
      ? finding.fix[managedBy as Syntax]
      : undefined) ??
    finding.fix[platform] ??
    finding.fix.any ??
    "none: see why";
  return typeof words === "string" ? words : words(subject);
}

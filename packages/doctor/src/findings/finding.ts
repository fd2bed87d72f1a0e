import type { Disk } from "../model/disk.ts";
import type { Place } from "../model/place.ts";
import type { Vm } from "../model/vm.ts";
import type { RungName } from "./rungs.ts";

/**
 * high: about a factor of two or more, or loss of data. medium: measurable in normal use, or a risk in operation. low: small, or
 * space only. info: context, or it depends: measure.
 */
export type Severity = "high" | "medium" | "low" | "info";

export const severities: readonly Severity[] = ["high", "medium", "low", "info"];

/** The measured gain of a change. */
export interface Worth {
  text: string;
  source: string;
  /** The ratio of IOPS, where the figure is one. */
  factor?: number;
  /** 95 % interval of the ratio, from a run of one's own. */
  interval?: readonly [low: number, high: number];
}

/** How a change gets into force. */
export type Takes = "live" | "restart" | "new VMs" | "new images" | "nothing to do";

/** Where and why a finding applies; what is left out is as the finding says in general. */
export interface Hit {
  place: Place;
  why?: string;
  severity?: Severity;
  /** Worth of this hit, if another figure fits it better; null where none does. */
  worth?: Worth | null;
}

/** A VM with the one disk in question, for words that name them. */
export interface Subject {
  vm: Vm;
  disk?: Disk;
}

/** The change, in words or made from what was found. */
export type FixWords = string | ((subject: Subject) => string);

/** In whose syntax a change is written: a platform's, or that of a system that manages one. */
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

/** One row of knowledge: what can be wrong, when it is, what it costs, and what mends it. */
export interface Finding {
  id: string;
  title: string;
  severity: Severity;
  /** The rung of the ladder that measures it, with which it shares its words. */
  rung?: RungName;
  /** When it applies, and when it does not, in words. */
  when: string;
  not: string;
  why: string;
  worth: Worth | null;
  /** When the change would be wrong. */
  wrong: string;
  takes: Takes;
  /** How to find out what it is worth here, where the ladder cannot. */
  measure?: string;
  sources?: readonly string[];
  /** Pure: whether it applies to a disk, or to the VM as a whole. */
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

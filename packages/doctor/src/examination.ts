import type { Severity, Takes, Worth } from "./findings/finding.ts";
import type { Place } from "./model/place.ts";
import type { Platform } from "./model/vm.ts";

/** One occurrence of a finding: its place, and the change in the platform's syntax. */
export interface FoundFinding {
  id: string;
  title: string;
  severity: Severity;
  why: string;
  worth: Worth | null;
  fix: string;
  takes: Takes;
  place: Place;
}

export interface ExaminedDisk {
  disk: string;
  rbd: boolean;
  /** pool/namespace/image, or a path for a disk that is not on RBD. */
  source?: string;
  findings: FoundFinding[];
}

/** The findings of one VM, or of one input that stands for many. Plain data for JSON. */
export interface Examination {
  platform: Platform;
  managedBy?: string;
  name?: string;
  id?: string;
  /** Pid of the process that was examined. */
  pid?: number;
  /** The best step first, in a paragraph. */
  verdict: string;
  disks: ExaminedDisk[];
  vm: { findings: FoundFinding[] };
  notes: string[];
  /** Facts that could not be read, and why. */
  unseen: string[];
}

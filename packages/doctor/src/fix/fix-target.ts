import type { Vm } from "../model/vm.ts";

/** The finding that a change fixes, and where. */
export interface FixTarget {
  id: string;
  /** The disks that have the finding; empty for a finding of the VM. */
  disks: readonly string[];
  vm: Vm;
}

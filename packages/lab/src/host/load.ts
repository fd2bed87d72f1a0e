import { readFileSync } from "node:fs";

/** CPU seconds of this host's processors since it booted. Source: proc(5), /proc/stat. */
export interface HostTimes {
  /** For processes and the kernel. */
  busy: number;
  /** Steal time: given by the hypervisor to other machines. */
  stolen: number;
  /** Processors that are counted. */
  processors: number;
}

/** The kernel's USER_HZ. */
const TICKS_PER_SECOND = 100;

export function hostTimes(): HostTimes {
  return hostTimesIn(readFileSync("/proc/stat", "utf8"));
}

export function hostTimesIn(text: string): HostTimes {
  const [, ...fields] = text.slice(0, text.indexOf("\n")).trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
  // Guest time is included in the processes' time.
  return {
    busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    stolen: steal / TICKS_PER_SECOND,
    processors: text.match(/^cpu\d/gm)?.length ?? 1,
  };
}

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";

/** Facts of this machine. */
export interface Machine {
  /** The processor's own name. */
  cpu: string;
  /** Logical processors that this process may use. */
  cores: number;
  /** Bytes. */
  memory: number;
  /** The kernel's release, `6.1.0-18-amd64`. */
  kernel: string;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  distribution: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: release(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(read("/etc/os-release"))?.[1] ?? "unknown",
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

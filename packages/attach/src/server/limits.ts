import { readFileSync } from "node:fs";
import { ByteBudget } from "./byte-budget.ts";

/** Limits shared by all clients of this process. */
export interface Limits {
  readonly budget: ByteBudget;
  readonly connections: ConnectionLimit;
}

export function createLimits({
  bytes,
  connections,
}: {
  bytes?: number | undefined;
  connections?: number | undefined;
} = {}): Limits {
  return { budget: new ByteBudget(bytes), connections: new ConnectionLimit(connections) };
}

/**
 * Limit of client connections over all servers of the process. It leaves descriptors for the cluster and for VMs'
 * rings.
 */
export class ConnectionLimit {
  readonly limit: number;
  #open = 0;

  constructor(limit: number = connectionsFor(openFileLimit())) {
    this.limit = limit;
  }

  /** Takes a place for one more connection; false if there is none. */
  take(): boolean {
    if (this.#open >= this.limit) return false;
    this.#open++;
    return true;
  }

  give(): void {
    this.#open--;
  }
}

/** Half of the descriptors beside the program's own files, up to the most that any host needs. */
export function connectionsFor(openFiles: number): number {
  return Math.max(1, Math.min(mostConnections, Math.floor((openFiles - ownFiles) / 2)));
}

/** The number of files that this process may open. */
function openFileLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

const ownFiles = 48;
const mostConnections = 4096;

import { readFileSync } from "node:fs";
import { ByteBudget } from "./byte-budget.ts";

/** Limits that all clients of this process share. */
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

/** Connections of clients, over all servers of the process: as many as leave descriptors for the cluster and for VMs' rings. */
export class ConnectionLimit {
  readonly limit: number;
  #open = 0;

  constructor(limit: number = connectionsFor(openFileLimit())) {
    this.limit = limit;
  }

  /** Whether there is room for one more, which is taken then. */
  take(): boolean {
    if (this.#open >= this.limit) return false;
    this.#open++;
    return true;
  }

  give(): void {
    this.#open--;
  }
}

/** Half of what is left beside the program's own files, and never more than any host needs. */
export function connectionsFor(openFiles: number): number {
  return Math.max(1, Math.min(mostConnections, Math.floor((openFiles - ownFiles) / 2)));
}

/** As many files as this process may have open. */
function openFileLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

const ownFiles = 48;
const mostConnections = 4096;

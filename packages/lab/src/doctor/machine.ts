import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { dirname } from "node:path";
import { machine } from "../host/machine.ts";
import { formatSize } from "../ladder/size.ts";
import { cacheDir, stateDir } from "../state/paths.ts";
import type { Finding } from "./finding.ts";

const GIB = 1024 ** 3;

/** The machine itself: processor, memory, limits, room on its disks. */
export async function lookAtMachine(): Promise<Finding[]> {
  const { cpu, cores, kernel, distribution } = machine();
  return [
    {
      name: "processor",
      status: cores < 2 ? "limited" : "ok",
      found: `${cpu}, ${cores} ${cores === 1 ? "core" : "cores"}`,
      for: "cluster, guest and load beside one another",
      fix: cores < 2 ? "give the machine two cores or more" : undefined,
    },
    memory(),
    { name: "kernel", status: "ok", found: kernel, for: "the report" },
    { name: "distribution", status: "ok", found: distribution, for: "the report" },
    { name: "Node", status: "ok", found: process.versions.node, for: "siphon itself" },
    openFiles(),
    await room("room for clusters and VMs", stateDir(), "OSDs on files, logs", "SIPHON_STATE_DIR"),
    await room("room for the cache", cacheDir(), "guest kernels and images", "SIPHON_CACHE_DIR"),
  ];
}

function memory(): Finding {
  const { memory: total } = machine();
  const free = available();
  const enough = free >= 3 * GIB;
  return {
    name: "memory",
    status: enough ? "ok" : free >= 1.5 * GIB ? "limited" : "missing",
    found: `${formatSize(total)}, of which ${formatSize(free)} are free`,
    for: "OSDs that keep their data in memory, and a guest",
    fix: enough ? undefined : "free some memory, or measure less: --size 256M",
  };
}

/** Available memory: free memory and reclaimable caches. */
function available(): number {
  const kib = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}

function openFiles(): Finding {
  const soft = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 0);
  const enough = soft >= 4096;
  return {
    name: "open files",
    status: enough ? "ok" : "limited",
    found: `at most ${soft} in a process`,
    for: "OSDs and clients of many OSDs",
    fix: enough ? undefined : "ulimit -n 65536",
  };
}

async function room(name: string, directory: string, purpose: string, variable: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearest(directory));
  const free = bavail * bsize;
  const status = free >= 10 * GIB ? "ok" : free >= 2 * GIB ? "limited" : "missing";
  return {
    name,
    status,
    found: `${formatSize(free)} free under ${directory}`,
    for: purpose,
    fix: status === "ok" ? undefined : `make room, or choose another place: ${variable}=DIR`,
  };
}

function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(dirname(directory));
}

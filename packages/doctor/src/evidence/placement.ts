import { readdir, readFile } from "node:fs/promises";
import { isVcpu } from "./threads.ts";

/** Problems with where a VM's threads may run and on which NUMA nodes its memory lies. */
export interface Placement {
  /** An I/O thread that shares its only cores with vCPUs, in words. */
  sharedCores?: string;
  /** vCPUs and memory on different NUMA nodes, in words. */
  split?: string;
}

/** @param iothreads ids of QEMU's I/O threads by kernel thread id, if known: the kernel drops a long thread name */
export async function placementOf(
  pid: number,
  iothreads: ReadonlyMap<number, string> = new Map(),
  proc = "/proc",
  sys = "/sys",
): Promise<Placement> {
  const online = cpuSet(await readFile(`${sys}/devices/system/cpu/online`, "utf8").catch(() => ""));
  const threads = (await allowed(pid, proc)).map((thread) => {
    const id = iothreads.get(thread.tid);
    return id === undefined ? thread : { ...thread, name: `IO ${id}` };
  });
  const vcpus = threads.filter(({ name }) => isVcpu(name));
  const placement: Placement = {};
  const pinned = new Set(
    vcpus.filter(({ cpus }) => cpus.size < online.size).flatMap(({ cpus }) => [...cpus]),
  );
  const io = threads.filter(({ name }) => /^IO (?!mon_)/.test(name));
  // If the whole VM is bound to a set of cores with more cores than vCPUs, the thread has room.
  const clash = io.find(({ cpus }) => {
    const beside = vcpus.filter((vcpu) => vcpu.cpus.size > 0 && [...vcpu.cpus].every((cpu) => cpus.has(cpu)));
    return cpus.size > 0 && cpus.size < online.size && beside.length >= cpus.size;
  });
  if (clash !== undefined)
    placement.sharedCores = `${clash.name} may run on ${formatSet(clash.cpus)} only, to which vCPUs are also pinned.`;
  const split = await splitOf(pid, pinned, proc, sys);
  if (split !== undefined) placement.split = split;
  return placement;
}

/** Finds a VM whose vCPUs are pinned to one NUMA node and much of whose memory is on others. */
async function splitOf(
  pid: number,
  pinned: ReadonlySet<number>,
  proc: string,
  sys: string,
): Promise<string | undefined> {
  const nodes = await nodeCpus(sys);
  if (nodes.size < 2 || pinned.size === 0) return undefined;
  const used = [...nodes]
    .filter(([, cpus]) => [...pinned].some((cpu) => cpus.has(cpu)))
    .map(([node]) => node);
  const pages = new Map<number, number>();
  const text = await readFile(`${proc}/${pid}/numa_maps`, "utf8").catch(() => "");
  for (const match of text.matchAll(/\bN(\d+)=(\d+)/g))
    pages.set(Number(match[1]), (pages.get(Number(match[1])) ?? 0) + Number(match[2]));
  const all = [...pages.values()].reduce((sum, each) => sum + each, 0);
  const away = [...pages].filter(([node]) => !used.includes(node)).reduce((sum, [, each]) => sum + each, 0);
  if (used.length > 1) return `its vCPUs are pinned to cores of the nodes ${used.join(", ")}`;
  return all > 0 && away / all > 0.2
    ? `its vCPUs are pinned to node ${used.join(", ")}, and ${Math.round((away / all) * 100)} % of its memory is elsewhere`
    : undefined;
}

async function nodeCpus(sys: string): Promise<Map<number, Set<number>>> {
  const names = (await readdir(`${sys}/devices/system/node`).catch(() => [])).filter((name) =>
    /^node\d+$/.test(name),
  );
  const entries = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${sys}/devices/system/node/${name}/cpulist`, "utf8").catch(() => "");
      return [Number(name.slice(4)), cpuSet(text)] as const;
    }),
  );
  return new Map(entries);
}

async function allowed(
  pid: number,
  proc: string,
): Promise<{ tid: number; name: string; cpus: Set<number> }[]> {
  const tids = await readdir(`${proc}/${pid}/task`).catch(() => []);
  return Promise.all(
    tids.map(async (tid) => {
      const status = await readFile(`${proc}/${pid}/task/${tid}/status`, "utf8").catch(() => "");
      return {
        tid: Number(tid),
        name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? "",
        cpus: cpuSet(/^Cpus_allowed_list:\t(.*)$/m.exec(status)?.[1] ?? ""),
      };
    }),
  );
}

/** Parses a CPU list such as `0-3,8`. */
export function cpuSet(text: string): Set<number> {
  const cpus = new Set<number>();
  for (const part of text.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const last = Math.min(Number(match[2] ?? match[1]), Number(match[1]) + 100_000);
    for (let cpu = Number(match[1]); cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}

function formatSet(cpus: ReadonlySet<number>): string {
  return `core${cpus.size > 1 ? "s" : ""} ${[...cpus].join(", ")}`;
}

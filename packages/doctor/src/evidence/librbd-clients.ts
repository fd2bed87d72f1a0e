import { isTree, type Tree, textOf, treeOf } from "../inputs/qemu/key-values.ts";
import type { Vm } from "../model/vm.ts";
import { adminSockets, askClient } from "./admin-socket.ts";

/** A sample of the counters of a process's librbd clients, by image (`pool-image`). */
export type ClientCounters = Map<string, Tree>;

/** Settings that decide how fast librbd is. */
const telling = ["rbd_cache", "ms_client_mode", "librados_thread_count", "ms_async_op_threads"] as const;

/**
 * Asks the process's librbd clients on their admin sockets, if they have any, for the settings in force, the mode of their connections
 * and their counters. Returns the counters.
 */
export async function askClients(
  vm: Vm,
  pid: number,
  proc: string,
  signal?: AbortSignal,
  again = false,
): Promise<ClientCounters | undefined> {
  const paths = await adminSockets(pid, proc);
  if (paths.length === 0) {
    if (!again && vm.disks.some(({ source }) => source.driver === "librbd"))
      vm.unseen.push(
        "librbd's counters and the mode of its connections: no admin socket that siphon may use (admin_socket under [client] in ceph.conf gives each VM one)",
      );
    return undefined;
  }
  const counters: ClientCounters = new Map();
  for (const path of paths) {
    try {
      const dump = await askClient(path, { prefix: "perf dump" }, 3000, signal);
      if (!isTree(dump)) continue;
      const image = Object.keys(dump).find((key) => key.startsWith("librbd-"));
      // "librbd-ID-POOL-IMAGE"
      const name = image?.replace(/^librbd-[^-]*-/, "");
      if (name !== undefined) counters.set(name, dump);
      if (!again) await addSettings(vm, name, path, signal);
    } catch (error) {
      if (!again) vm.unseen.push(`what librbd counts (${path}): ${(error as Error).message}`);
    }
  }
  return counters;
}

async function addSettings(
  vm: Vm,
  image: string | undefined,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const config = await askClient(path, { prefix: "config show" }, 3000, signal);
  if (!isTree(config)) return;
  const words = telling.flatMap((name) => {
    const value = textOf(config, name);
    return value === undefined ? [] : [`${name} ${value}`];
  });
  const modes = await negotiated(path, signal);
  const asked = (textOf(config, "ms_client_mode") ?? "").split(/[\s,;]+/).filter(Boolean);
  vm.notes.push(
    `librbd of ${image ?? "a client"} as it runs: ${words.join(", ")}; ${modeWords([...modes], asked)}.`,
  );
  const disk = vm.disks.find(({ source }) => `${source.pool}-${source.image}` === image);
  if (disk === undefined) return;
  const inForce = modes.has("secure") ? "secure" : modes.size > 0 ? "crc" : asked[0];
  if (inForce !== undefined)
    disk.source.options = new Map(disk.source.options).set("ms_client_mode", {
      value: inForce,
      place: { file: path, line: 1, path: modes.size > 0 ? "messenger dump" : "config show" },
    });
}

/** Clients before Ceph 20 do not report the mode. A client that allows only one mode has that one, since its connections are up. */
function modeWords(modes: readonly string[], asked: readonly string[]): string {
  if (modes.length > 0) return `its connections are in ${modes.join(" and ")} mode`;
  const [first, ...others] = asked;
  if (first === undefined) return "the mode of its connections is not known";
  return others.length === 0
    ? `its connections are in ${first} mode, the only mode that it allows`
    : `its connections are in ${first} mode unless the daemons require another one (this release does not report it)`;
}

/** The modes that were negotiated; empty for releases that do not report them (before Ceph 20). */
async function negotiated(path: string, signal?: AbortSignal): Promise<Set<string>> {
  const modes = new Set<string>();
  const list = await askClient(path, { prefix: "messenger dump" }, 3000, signal).catch(() => undefined);
  const names = isTree(list) && Array.isArray(list.messengers) ? (list.messengers as unknown[]) : [];
  for (const msgr of names) {
    const command = { prefix: "messenger dump", msgr, "dumpcontents:all": true };
    collectModes(await askClient(path, command, 3000, signal).catch(() => undefined), modes);
  }
  return modes;
}

function collectModes(value: unknown, modes: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inside] of Object.entries(value)) {
    if (key === "con_mode" && (inside === "crc" || inside === "secure")) modes.add(inside);
    else collectModes(inside, modes);
  }
}

/** librbd's work between two samples: requests, their latency, and whether the client's own throttles delayed them. */
export function describeClients(before: ClientCounters, after: ClientCounters, seconds: number): string[] {
  return [...after].flatMap(([image, dump]) => {
    const earlier = before.get(image);
    if (earlier === undefined) return [];
    const section = (tree: Tree) => treeOf(tree, Object.keys(tree).find((key) => key.startsWith("librbd-"))!);
    const kinds = [
      ["rd", "reads"],
      ["wr", "writes"],
      ["flush", "flushes"],
      ["discard", "discards"],
    ] as const;
    const words = kinds.flatMap(([key, word]) => {
      const now = meanOf(section(dump), `${key}_latency`);
      const then = meanOf(section(earlier), `${key}_latency`);
      const count = now.count - then.count;
      if (count <= 0) return [];
      const ms = ((now.sum - then.sum) / count) * 1000;
      return [`${Math.round(count / seconds).toLocaleString("en")} ${word} a second of ${ms.toFixed(2)} ms`];
    });
    const held = ["throttle-objecter_bytes", "throttle-objecter_ops"].filter(
      (key) => waits(dump, key) > waits(earlier, key),
    );
    return [
      ...(words.length === 0 ? [] : [`librbd of ${image}: ${words.join(", ")} while it was watched.`]),
      ...(held.length === 0
        ? []
        : [
            `librbd of ${image}: requests waited for ${held.map((key) => key.replace("throttle-objecter_", "objecter_inflight_").replace("bytes", "op_bytes")).join(" and ")}, a limit of the client.`,
          ]),
    ];
  });
}

/** Count and sum (seconds) of an averaging counter. */
function meanOf(tree: Tree | undefined, key: string): { count: number; sum: number } {
  const counter = treeOf(tree, key);
  return {
    count: Number(textOf(counter, "avgcount") ?? 0),
    sum: Number(textOf(counter, "sum") ?? 0),
  };
}

function waits(dump: Tree, key: string): number {
  return meanOf(treeOf(dump, key), "wait").count;
}

import { imageOfDevice } from "../inputs/device-path.ts";
import { flagOf, get, isTree, parseObject, type Tree, textOf, treeOf } from "../inputs/qemu/key-values.ts";
import { chainOf, driveNode, passesDiscard } from "../inputs/qemu/nodes.ts";
import { sourceOf } from "../inputs/qemu/source.ts";
import { throttleOf } from "../inputs/qemu/throttle.ts";
import type { Disk } from "../model/disk.ts";
import type { Place } from "../model/place.ts";
import type { Vm } from "../model/vm.ts";

/** Adds QEMU's answer to `query-block` to the model: current limits and cache modes, and hot-plugged disks. */
export function applyBlockInfo(vm: Vm, answer: unknown, socket: string): void {
  if (!Array.isArray(answer)) return;
  for (const entry of answer) {
    const inserted = isTree(entry) ? treeOf(entry, "inserted") : undefined;
    if (!isTree(entry) || inserted === undefined) continue;
    const names = [
      textOf(entry, "device"),
      textOf(inserted, "node-name"),
      lastOf(textOf(entry, "qdev")),
    ].filter((name) => name !== undefined && name !== "") as string[];
    const place: Place = { file: `QMP ${socket}`, line: 1, path: `query-block ${names[0] ?? ""}` };
    const known = vm.disks.find(({ name }) => names.includes(name));
    const limits = throttleOf(limitsOf(inserted));
    if (known !== undefined) {
      if (limits !== undefined) known.throttle = { value: limits, place };
      continue;
    }
    const added = pluggedDisk(entry, inserted, names, place);
    if (added === undefined) continue;
    if (limits !== undefined) added.throttle = { value: limits, place };
    vm.disks.push(added);
  }
}

/** query-block says bps_rd for what -drive calls throttling.bps-read; zero means no limit. */
function limitsOf(inserted: Tree): Tree {
  const limits: Tree = Object.create(null);
  for (const [key, value] of Object.entries(inserted))
    if (/^(bps|iops)(_rd|_wr)?(_max)?$/.test(key)) limits[key] = value;
  return limits;
}

/** A disk that the command line does not show. Its file name says where its data are. */
function pluggedDisk(entry: Tree, inserted: Tree, names: readonly string[], place: Place): Disk | undefined {
  const file = textOf(inserted, "file") ?? "";
  const described = file.startsWith("json:") ? parseObject(file.slice(5)) : undefined;
  const top = described ?? driveNode(Object.assign(Object.create(null), { file, format: "raw" }) as Tree);
  const chain = chainOf(top, place, new Map());
  const source = sourceOf(chain.at(-1), place, new Map());
  if (source.driver === "other") return undefined;
  const cache = treeOf(inserted, "cache");
  const direct = flagOf(cache, "direct") ?? false;
  return {
    name: names.at(-1) ?? "disk",
    place,
    kind: flagOf(entry, "removable") === true && /cd/.test(textOf(entry, "type") ?? "") ? "cdrom" : "data",
    bus: { value: "none", place },
    source: {
      ...source,
      ...(source.path !== undefined && imageOfDevice(source.path)),
      // The file name of a hot-plugged disk does not contain the user.
      ...(source.user?.value === "" && { user: undefined }),
    } as Disk["source"],
    cache: {
      direct,
      noFlush: flagOf(cache, "no-flush") ?? false,
      chosen: "written",
      mode: direct ? "none" : "writeback",
      place,
    },
    ...(described !== undefined && { discard: { value: passesDiscard(chain), place } }),
  };
}

function lastOf(path: string | undefined): string | undefined {
  const steps = path?.replace(/\/virtio-backend$/, "").split("/");
  return steps?.at(-1);
}

export type Traffic = Map<string, { reads: number; writes: number }>;

/** The number of requests that each device has completed, from `query-blockstats`. */
export function trafficOf(answer: unknown): Traffic {
  const traffic: Traffic = new Map();
  if (!Array.isArray(answer)) return traffic;
  for (const entry of answer) {
    if (!isTree(entry)) continue;
    const name = textOf(entry, "device") || lastOf(textOf(entry, "qdev")) || textOf(entry, "node-name");
    const reads = Number(get(entry, "stats.rd_operations"));
    const writes = Number(get(entry, "stats.wr_operations"));
    if (name !== undefined && Number.isFinite(reads) && Number.isFinite(writes))
      traffic.set(name, { reads, writes });
  }
  return traffic;
}

/** The I/O of the disks between two samples, without idle disks. */
export function describeTraffic(before: Traffic, after: Traffic, seconds: number): string[] {
  return [...after].flatMap(([name, { reads, writes }]) => {
    const earlier = before.get(name);
    if (earlier === undefined) return [];
    const perSecond = (now: number, then: number) => Math.round((now - then) / seconds).toLocaleString("en");
    if (reads === earlier.reads && writes === earlier.writes) return [];
    return [
      `${name}: ${perSecond(reads, earlier.reads)} reads and ${perSecond(writes, earlier.writes)} writes a second while it was watched.`,
    ];
  });
}

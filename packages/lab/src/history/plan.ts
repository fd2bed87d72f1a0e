import { createHash } from "node:crypto";
import type { ComparableRun } from "../compare/comparable.ts";
import { changesWork, type Setting } from "../compare/differences.ts";
import { bytes } from "../report/format.ts";

/** The part of a run that must match for comparisons over time. */
export interface Plan {
  /** The same for all runs of the plan. */
  id: string;
  /** "ladder, cumulative: randread, 16 KiB, depth 128, 1 GiB, TCG, 1 OSD" */
  words: string;
}

/**
 * The plan of a run: its load, its cluster, the accelerator, and the guest's vCPUs and memory. Versions, the machine and the measuring time
 * may differ from run to run: a trend shows what they change.
 */
export function planOf({ kind, settings }: Pick<ComparableRun, "kind" | "settings">): Plan {
  const own = settings.filter(isOfPlan).map(({ name, value }) => [name, value] as const);
  const id = createHash("sha256")
    .update(JSON.stringify([kind, own]))
    .digest("hex")
    .slice(0, 8);
  return { id, words: inWords(kind, new Map(own)) };
}

/** Properties that distinguish clusters; a baseline has several clusters, and names the cluster of each. */
const ofCluster = /^(?:.+, )?(?:cluster|OSDs|replicas|object store|ms_\*_mode \(all six\))$/;

/** Properties that distinguish guests. */
const ofGuest: ReadonlySet<string> = new Set(["vCPUs", "memory"]);

function isOfPlan(setting: Setting): boolean {
  const { group, name } = setting;
  if (group === "cluster") return ofCluster.test(name);
  if (group === "guest") return ofGuest.has(name);
  return group === "accelerator" || changesWork(setting);
}

function inWords(kind: ComparableRun["kind"], own: ReadonlyMap<string, string>): string {
  const size = (name: string) => bytes(Number(own.get(name))).replace("\u00a0", " ");
  const osds = [...own].filter(([name]) => name.endsWith("OSDs")).map(([, value]) => value);
  const mode = own.get("rungs");
  return [
    `${kind}${mode === undefined ? "" : `, ${mode}`}: ${own.get("kind")}`,
    size("block size"),
    `depth ${own.get("queue depth")}`,
    size("area"),
    ...(own.has("vCPUs") ? [`vCPUs ${own.get("vCPUs")}`] : []),
    ...(own.has("memory") ? [own.get("memory")!] : []),
    ...(own.has("accelerator") ? [own.get("accelerator")!] : []),
    ...(osds.length > 0 ? [`OSDs ${[...new Set(osds)].join("/")}`] : []),
  ].join(", ");
}

import type { Examination, FoundFinding } from "@siphon/doctor";
import type { PlannedRung } from "../rungs/plan.ts";
import type { Offers, Rung } from "../rungs/rung.ts";
import type { VmSettings } from "../vm/settings.ts";

/** The rung with the current settings, the base of all comparisons. */
export const asItIs = "as-it-is";
/** The rung with all changes. */
export const allChanges = "all-changes";

/** The settings that fix a finding, or why they are unavailable here. */
type Change = (settings: VmSettings, offers: Offers) => Partial<VmSettings> | string;

const virtio: Change = () => ({ device: "virtio-blk", queues: undefined });
const iothread: Change = () => ({ iothread: true });
const noCache: Change = () => ({ cache: "none" });
const oneQueueEach: Change = (_, { cpus }) => ({ queues: cpus });

/** By finding id; other findings cannot be measured in a run of seconds. */
const changes: Readonly<Record<string, Change>> = {
  "bus-ide": virtio,
  "bus-sata": virtio,
  "scsi-lsi": virtio,
  "iothread-missing": iothread,
  "iothread-without-effect": iothread,
  "cache-librbd-on": noCache,
  "cache-writeback-depends": noCache,
  "queues-single": oneQueueEach,
  "queues-beyond-vcpus": oneQueueEach,
  "queues-unmapped-iothreads": ({ device }, { cpus, qemuMajor }) =>
    qemuMajor >= 9 && device === "virtio-blk"
      ? { queues: cpus, iothreads: Math.min(cpus, 4) }
      : "needs virtio-blk and QEMU 9.0 or newer",
  "allocator-libc": (_, { tcmalloc }) =>
    tcmalloc === undefined ? "libtcmalloc is not installed" : { allocator: "tcmalloc" },
  "machine-i440fx": () => ({ machine: "q35" }),
  "raw-layer": () => ({ syntax: "blockdev" }),
  "secure-cost": ({ clientOptions }) => ({ clientOptions: { ...clientOptions, ms_client_mode: "crc" } }),
};

/** Measurable findings of a disk and its VM, without duplicates. */
export function measurable({ disks, vm }: Examination, disk: string): FoundFinding[] {
  const found = [...(disks.find((each) => each.disk === disk)?.findings ?? []), ...vm.findings];
  const known = new Set<string>();
  return found.filter(({ id }) => Object.hasOwn(changes, id) && !known.has(id) && known.add(id));
}

/** The rungs: the current VM, each change by itself, and, if there are several, all together. */
export function planChanges(
  base: VmSettings,
  findings: readonly FoundFinding[],
  offers: Offers,
): PlannedRung[] {
  const secure = base.clientOptions.ms_client_mode === "secure" ? offers.noSecure : undefined;
  if (secure !== undefined) return [{ status: "skipped", rung: baseRung, reason: secure }];
  const rungs: PlannedRung[] = [{ status: "planned", rung: baseRung, settings: base, against: undefined }];
  let all = base;
  const made = new Map<string, string>();
  for (const finding of findings) {
    const change = changes[finding.id]!(base, offers);
    const rung = rungOf(finding);
    if (typeof change === "string") {
      rungs.push({ status: "skipped", rung, reason: change });
      continue;
    }
    all = { ...all, ...change };
    const settings = { ...base, ...change };
    const same = made.get(JSON.stringify(settings));
    if (same !== undefined) continue;
    made.set(JSON.stringify(settings), finding.id);
    rungs.push({ status: "planned", rung, settings, against: asItIs });
  }
  if (made.size > 1) rungs.push({ status: "planned", rung: lastRung, settings: all, against: asItIs });
  return rungs;
}

/** Ids of the findings that the rung's change fixes: one change may fix two. */
export function mendedBy(rung: string, findings: readonly FoundFinding[]): string[] {
  const change = changes[rung];
  return findings.filter(({ id }) => changes[id] === change).map(({ id }) => id);
}

const baseRung: Rung = {
  name: asItIs,
  title: "as it is",
  why: "The settings of the examined VM.",
  change: () => ({}),
};

const lastRung: Rung = {
  name: allChanges,
  title: "all changes",
  why: "The VM with all changes.",
  change: () => ({}),
};

function rungOf({ id, title, why }: FoundFinding): Rung {
  return { name: id, title: `mended: ${title}`, why, change: () => ({}) };
}

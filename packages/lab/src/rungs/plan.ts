import { LabError } from "../errors.ts";
import { qemuDefaults, type VmSettings } from "../vm/settings.ts";
import { cumulativeRungs } from "./cumulative.ts";
import { publishedRungs } from "./published.ts";
import type { Offers, Rung } from "./rung.ts";

export type LadderMode = "cumulative" | "published";

/** A rung with all its settings, or the reason why it cannot be climbed here. */
export type PlannedRung =
  | { status: "planned"; rung: Rung; settings: VmSettings; against: string | undefined }
  | { status: "skipped"; rung: Rung; reason: string };

/** A rung that will be climbed. */
export type PlannedClimb = Extract<PlannedRung, { status: "planned" }>;

/** All rungs of a mode, in their order. */
export function rungsOf(mode: LadderMode): Rung[] {
  return mode === "published" ? publishedRungs : cumulativeRungs;
}

/** @throws LabError SIPHON_USAGE for a name that the mode does not have */
export function checkRungNames(mode: LadderMode, names: readonly string[] = []): void {
  const known = rungsOf(mode).map((rung) => rung.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new LabError("SIPHON_USAGE", `there is no rung called ${unknown} in ${mode} mode`, {
    hint: `rungs: ${known.join(", ")}`,
  });
}

/**
 * Resolves the rungs to climb. A rung has the same settings whichever others are chosen: in cumulative mode those of every rung
 * before it that can be climbed here. It is compared with the chosen rung before it.
 *
 * @throws LabError SIPHON_USAGE for a name that the mode does not have
 */
export function planRungs(mode: LadderMode, offers: Offers, names?: string[]): PlannedRung[] {
  const rungs = rungsOf(mode);
  checkRungNames(mode, names);
  const planned: PlannedRung[] = [];
  const start = startingSettings(offers, names);
  let trunk = start;
  let against: string | undefined;
  for (const rung of rungs) {
    const chosen = names === undefined || names.includes(rung.name);
    const reason = rung.missing?.(offers);
    if (reason !== undefined) {
      if (chosen) planned.push({ status: "skipped", rung, reason });
      continue;
    }
    const base = mode === "published" ? start : trunk;
    const settings = apply(base, rung.change(offers));
    if (!rung.aside) trunk = settings;
    if (!chosen) continue;
    planned.push({ status: "planned", rung, settings, against });
    if (!rung.aside) against = rung.name;
  }
  return planned;
}

/** Where the step to a newer librbd is climbed, the rungs before it have the older one. */
function startingSettings({ olderLibrbd }: Offers, names: string[] | undefined): VmSettings {
  if (olderLibrbd === undefined || !(names === undefined || names.includes("new-librbd")))
    return qemuDefaults;
  return { ...qemuDefaults, librbdDir: olderLibrbd.directory, moduleDir: olderLibrbd.moduleDirectory };
}

function apply(base: VmSettings, change: Partial<VmSettings>): VmSettings {
  return { ...base, ...change, clientOptions: { ...base.clientOptions, ...change.clientOptions } };
}

import { LabError } from "../errors.ts";
import { qemuDefaults, type VmSettings } from "../vm/settings.ts";
import { cumulativeRungs } from "./cumulative.ts";
import { noRungs } from "./elsewhere.ts";
import { furtherRungs } from "./further.ts";
import { publishedRungs } from "./published.ts";
import type { FurtherRung, Offers, Rung } from "./rung.ts";

export type LadderMode = "cumulative" | "published";

/** A rung with all its settings, or why it is unavailable here. */
export type PlannedRung =
  | { status: "planned"; rung: Rung; settings: VmSettings; against: string | undefined }
  | { status: "skipped"; rung: Rung; reason: string };

/** A rung that will be climbed. */
export type PlannedClimb = Extract<PlannedRung, { status: "planned" }>;

/** The default rungs of a mode, in order. */
export function rungsOf(mode: LadderMode): Rung[] {
  return mode === "published" ? publishedRungs : cumulativeRungs;
}

/** The rungs of a mode that are measured only if named. */
export function furtherRungsOf(mode: LadderMode): FurtherRung[] {
  return mode === "published" ? [] : furtherRungs;
}

/** @throws LabError SIPHON_USAGE for a name that is not in the mode */
export function checkRungNames(mode: LadderMode, names: readonly string[] = []): void {
  const known = [...rungsOf(mode), ...furtherRungsOf(mode)].map((rung) => rung.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const elsewhere = noRungs.find(({ name }) => name === unknown);
  if (elsewhere) throw new LabError("SIPHON_USAGE", `${unknown} is no rung: ${elsewhere.reason}`);
  throw new LabError("SIPHON_USAGE", `there is no rung called ${unknown} in ${mode} mode`, {
    hint: `rungs: ${known.join(", ")}`,
  });
}

/**
 * Resolves the rungs to climb. A rung's settings do not depend on the choice of rungs: in cumulative mode it has those
 * of all previous rungs that are available here. It is compared with the previous chosen rung. A further rung is
 * compared with the rung that it changes, which is added to the choice.
 *
 * @throws LabError SIPHON_USAGE for a name that is not in the mode
 */
export function planRungs(mode: LadderMode, offers: Offers, names?: string[]): PlannedRung[] {
  checkRungNames(mode, names);
  const chosen = names && withBases(mode, names);
  const planned: PlannedRung[] = [];
  const start = startingSettings(offers, names);
  let trunk = start;
  let against: string | undefined;
  for (const rung of rungsOf(mode)) {
    const isChosen = chosen === undefined || chosen.has(rung.name);
    const reason = rung.missing?.(offers);
    if (reason !== undefined) {
      if (isChosen) planned.push(...skipAll(rung, reason, furtherRungsOf(mode), chosen));
      continue;
    }
    const base = mode === "published" ? start : trunk;
    const settings = apply(base, rung.change(offers));
    if (!rung.aside) trunk = settings;
    if (!isChosen) continue;
    const climb = { status: "planned", rung, settings, against } as const;
    planned.push(climb, ...planFurther(climb, furtherRungsOf(mode), offers, chosen));
    if (!rung.aside) against = rung.name;
  }
  return planned;
}

/** The chosen rungs that change this one, each followed by those that change it. */
function planFurther(
  base: PlannedClimb,
  further: readonly FurtherRung[],
  offers: Offers,
  chosen: ReadonlySet<string> | undefined,
): PlannedRung[] {
  const own = further.filter(({ name, on }) => on === base.rung.name && chosen?.has(name));
  return own.flatMap((rung): PlannedRung[] => {
    const reason = rung.missing?.(offers);
    if (reason !== undefined) return skipAll(rung, reason, further, chosen);
    const settings = apply(base.settings, rung.change(offers));
    const climb = { status: "planned", rung, settings, against: rung.on } as const;
    return [climb, ...planFurther(climb, further, offers, chosen)];
  });
}

/** An unavailable rung, and the chosen ones that would change it. */
function skipAll(
  rung: Rung,
  reason: string,
  further: readonly FurtherRung[],
  chosen: ReadonlySet<string> | undefined,
): PlannedRung[] {
  const own = further.filter(({ name, on }) => on === rung.name && chosen?.has(name));
  return [
    { status: "skipped", rung, reason },
    ...own.flatMap((each) => skipAll(each, reason, further, chosen)),
  ];
}

/** The named rungs, and the rungs that they change. */
function withBases(mode: LadderMode, names: readonly string[]): Set<string> {
  const all = new Set(names);
  // A set's iterator also visits elements that are added meanwhile.
  for (const name of all) {
    const rung = furtherRungsOf(mode).find((each) => each.name === name);
    if (rung) all.add(rung.on);
  }
  return all;
}

/** If the step to a newer librbd is chosen, the rungs before it use the older one. */
function startingSettings({ olderLibrbd }: Offers, names: string[] | undefined): VmSettings {
  if (olderLibrbd === undefined || !(names === undefined || names.includes("new-librbd")))
    return qemuDefaults;
  return { ...qemuDefaults, librbdDir: olderLibrbd.directory, moduleDir: olderLibrbd.moduleDirectory };
}

function apply(base: VmSettings, change: Partial<VmSettings>): VmSettings {
  return { ...base, ...change, clientOptions: { ...base.clientOptions, ...change.clientOptions } };
}

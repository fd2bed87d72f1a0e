import { LabError } from "../errors.ts";
import type { LibrbdRelease } from "../ladder/platforms.ts";
import type { LibrbdSet } from "../roots/librbd-set.ts";
import { releaseOf } from "../roots/releases.ts";
import { type PlannedRung, planRungs } from "./plan.ts";
import type { Offers, Rung } from "./rung.ts";

/** The default rung whose settings all releases use: all settings of the ladder that concern only QEMU. */
export const releasesRung = "q35";

/** A release with the files for QEMU to load its librbd; undefined for QEMU's own librbd. */
export interface LoadableRelease extends LibrbdRelease {
  set: LibrbdSet | undefined;
}

/**
 * A ladder of releases of librbd: the same VM, cluster and settings, one rung per release, each compared with the
 * previous one.
 *
 * @throws LabError SIPHON_USAGE if the base rung is unavailable
 */
export function planReleases(
  offers: Offers,
  releases: readonly LoadableRelease[],
  rung: string = releasesRung,
): PlannedRung[] {
  const own = { olderLibrbd: undefined, librbdDir: undefined, noFurtherImages: "releases share one image" };
  const base = planRungs("cumulative", { ...offers, ...own }, [rung]).find((each) => each.rung.name === rung);
  if (base?.status !== "planned") {
    throw new LabError("SIPHON_USAGE", `the rung ${rung} cannot be had here: ${base?.reason}`);
  }
  return releases.map((release, at) => ({
    status: "planned",
    rung: rungOf(release, base.rung),
    settings: {
      ...base.settings,
      librbdDir: release.set?.directory,
      moduleDir: release.set?.moduleDirectory,
    },
    against: releases[at - 1]?.name,
  }));
}

function rungOf({ name, contents: { ceph, librbd } }: LibrbdRelease, base: Rung): Rung {
  const release = releaseOf(ceph) ?? name;
  return {
    name,
    title: `librbd of ${release[0]!.toUpperCase()}${release.slice(1)} ${ceph ?? ""}`.trim(),
    why: `librbd ${librbd} of Ceph ${ceph}, in the VM of the rung ${base.name}: all but librbd and librados is the same.`,
    change: () => ({}),
  };
}

import { basename } from "node:path";
import { LabError } from "../errors.ts";
import { host, type Platform } from "../host/platform.ts";
import type { RootContents } from "../roots/contents.ts";
import { contentsOf, inWords, isNewer } from "../roots/librbd-set.ts";
import { releaseOf } from "../roots/releases.ts";
import { Root } from "../roots/root.ts";
import type { LadderOptions } from "./options.ts";

/** A release of librbd and its platform. */
export interface LibrbdRelease {
  name: string;
  platform: Platform;
  contents: RootContents;
}

/** The platforms of the ladder's programs. */
export interface LadderPlatforms {
  /** Platform of the cluster's daemons, fio and Ceph's programs. */
  ceph: Platform;
  qemu: Platform;
  /** The releases of librbd to compare, if the ladder compares releases. */
  releases?: LibrbdRelease[];
}

/** Finds the roots that the options name; throws the errors of `Root.find`. */
export async function findPlatforms({ ceph, qemu, releases }: LadderOptions): Promise<LadderPlatforms> {
  const found = releases && (await findReleases(releases));
  return {
    ceph: await platformNamed(ceph, "ceph"),
    qemu: qemu === undefined && found ? await newest(found) : await platformNamed(qemu, "qemu"),
    ...(found && { releases: found }),
  };
}

/** The host, or a root with the needed programs. */
export async function platformNamed(name: string | undefined, use: "ceph" | "qemu"): Promise<Platform> {
  return name === undefined || name === "host" ? host : await Root.find(name, { uses: [use] });
}

/** In the given order; a release that is installed on this host needs no root. */
async function findReleases(names: readonly string[]): Promise<LibrbdRelease[]> {
  const own = await contentsOf(host);
  const found = await Promise.all(
    names.map(async (name) => {
      const isHosts = name === "host" || (releaseOf(own.ceph) === name && !(await hasRoot(name)));
      const platform = isHosts ? host : await Root.find(name);
      const contents = isHosts ? own : await contentsOf(platform);
      // The name is also used for files of the run.
      if (contents.librbd !== undefined) return { name: basename(name), platform, contents };
      throw new LabError("SIPHON_MISSING_PROGRAM", `${inWords(platform)} has no librbd`, {
        hint: "make a root that has one with: siphon root build reef",
      });
    }),
  );
  const twice = found.find(({ name }, at) => found.findIndex((other) => other.name === name) !== at);
  if (twice === undefined) return found;
  throw new LabError("SIPHON_USAGE", `two of the releases are called ${twice.name}`, {
    hint: "give their directories different names",
  });
}

async function hasRoot(name: string): Promise<boolean> {
  try {
    Root.named(name);
    return true;
  } catch {
    return false;
  }
}

/** The platform with the newest glibc among those with a QEMU: it can load the librbd of all others. */
async function newest(releases: LibrbdRelease[]): Promise<Platform> {
  const withQemu = releases.filter(({ contents }) => contents.qemu !== undefined);
  const [best] = withQemu.toSorted((a, b) => (isNewer(a.contents.glibc, b.contents.glibc) ? -1 : 1));
  if (best === undefined) return host;
  return best.platform === host
    ? host
    : await Root.find((best.platform as Root).directory, { uses: ["qemu"] });
}

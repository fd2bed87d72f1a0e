import { existsSync } from "node:fs";
import { rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LabError } from "../../errors.ts";
import { findPrivilege, type Privilege } from "../../guest/debian/root-file-system.ts";
import { startBuilding } from "../../state/cache.ts";
import { Resource } from "../../state/resource.ts";
import { CONTENTS_FILE, examineContents } from "../contents.ts";
import { type RootSource, rootSource } from "../releases.ts";
import { Root, rootsDirectory } from "../root.ts";
import type { BuildContext } from "./context.ts";
import { buildDebian } from "./debian.ts";
import { buildFromImage } from "./image.ts";

export interface BuildRootOptions {
  /** A Debian suite, a release of Ceph, or a container image. */
  source: string;
  /** Its directory; default: in the cache, under its name. */
  directory?: string;
  /** Address of a Debian archive; default: this machine's sources. */
  mirror?: string;
  /** Include libvirt's daemon and virsh. */
  withLibvirt?: boolean;
  /** Build it again even if it exists. */
  force?: boolean;
  signal?: AbortSignal;
  /** Called with a few words about each step. */
  onProgress?: (text: string) => void;
}

const GIB = 1024 ** 3;
/** Maximum space for the packages and their contents. */
const ROOM = 3 * GIB;

/**
 * Builds a root, unless it exists. It appears atomically: it is built next to its place, and the leftovers of an abort,
 * failure or crash are removed, at the latest by `clean`.
 */
export async function buildRoot(options: BuildRootOptions): Promise<Root> {
  const { directory, force = false, onProgress = () => {}, signal } = options;
  const source = rootSource(options.source);
  const place = directory === undefined ? join(rootsDirectory(), source.name) : resolve(directory);
  const root = () => Root.at(place, directory === undefined ? source.name : undefined);
  if (existsSync(place)) {
    // Only a root may be replaced, not another directory.
    await Root.find(place);
    if (!force) return root();
  }
  const privilege = await findPrivilege(`the root ${source.name}`);
  const building = await startBuilding(dirname(place));
  try {
    await using work = await Resource.create("work", `root-${process.pid}-${Date.now()}`, { building });
    await fill(building, source, options, privilege, { environment: work.environment, signal, onProgress });
    await put(building, place);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
  return root();
}

async function fill(
  building: string,
  source: RootSource,
  { mirror, withLibvirt = false, signal }: BuildRootOptions,
  privilege: Privilege,
  context: BuildContext,
): Promise<void> {
  await checkRoom(building);
  const origin =
    source.from === "debian"
      ? await buildDebian(building, { suite: source.suite, mirror, withLibvirt }, privilege, context)
      : await buildFromImage(building, source.image, context);
  signal?.throwIfAborted();
  context.onProgress("looking at what is in it");
  const contents = await examineContents(await Root.find(building));
  const record = { source: origin, built: new Date().toISOString(), ...contents };
  await writeFile(join(building, CONTENTS_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/** Moves a finished root to its place; an old one is first moved away, and removed. */
async function put(building: string, place: string): Promise<void> {
  const old = `${building}-old`;
  if (existsSync(place)) await rename(place, old);
  await rename(building, place);
  await rm(old, { recursive: true, force: true });
}

/** Removes a root from the cache; throws SIPHON_NOT_FOUND, or SIPHON_IN_USE while a cluster or VM uses it. */
export async function removeRoot(name: string): Promise<Root> {
  if (name.includes("/")) {
    throw new LabError("SIPHON_USAGE", `${name} is a directory of yours, and not a root in the cache`, {
      hint: "remove it yourself; list the roots in the cache with: siphon root list",
    });
  }
  const root = Root.named(name);
  for (const kind of ["clusters", "vms"] as const) {
    const user = (await Resource.list(kind)).find(({ details }) => details.root === root.directory);
    if (user === undefined) continue;
    throw new LabError(
      "SIPHON_IN_USE",
      `the root ${root.name} is in use: ${kind}/${user.name} runs from it`,
      {
        hint: kind === "clusters" ? `siphon cluster down ${user.name}` : `siphon vm stop ${user.name}`,
      },
    );
  }
  // Renamed first, so that no other process finds a partial root.
  const old = await startBuilding(rootsDirectory());
  await rename(root.directory, join(old, root.name));
  await rm(old, { recursive: true, force: true });
  return root;
}

async function checkRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= ROOM) return;
  throw new LabError(
    "SIPHON_NO_SPACE",
    `building a root needs ${ROOM / GIB} GiB in ${dirname(directory)}, of which ${(free / GIB).toFixed(1)} are free`,
    { hint: "make room, name another directory, or put the cache elsewhere: SIPHON_CACHE_DIR=DIR" },
  );
}

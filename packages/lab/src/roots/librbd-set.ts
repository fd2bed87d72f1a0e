import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { filesOf, libraryDirectories, type Platform } from "../host/platform.ts";
import { cached } from "../state/cache.ts";
import { examineContents, findLibrary, type RootContents } from "./contents.ts";
import { exportedSymbols, weakened } from "./elf-symbols.ts";
import { Root } from "./root.ts";

/** Another librbd for a QEMU, and the environment for it. */
export interface LibrbdSet {
  /** For LD_LIBRARY_PATH. */
  directory: string;
  /** For QEMU_MODULE_DIR, if QEMU's own rbd module cannot be loaded with this librbd. */
  moduleDirectory?: string;
}

/** Libraries of a release of Ceph; others come from QEMU's platform if it has them. */
const ofCeph = /^(librbd|librados|libceph-common)\.so/;

/** Where distributions keep QEMU's modules. */
const moduleDirectories = [
  "/usr/lib/*-linux-gnu/qemu",
  "/usr/lib64/qemu-kvm",
  "/usr/lib64/qemu",
  "/usr/lib/qemu",
];

/**
 * Copies the librbd of one platform, and those of its libraries that `qemu`'s platform lacks, into a directory of the
 * cache. QEMU loads it with all other libraries of its own, so that two runs differ only in librbd. The glibc of `qemu`
 * must be as new as the library's; throws SIPHON_USAGE if it is older, or there is no librbd.
 *
 * A newer QEMU's rbd module may need functions that an older librbd lacks (rbd_encryption_load2, Ceph 17), and the
 * loader then rejects it. The set has a copy of the module in which these are optional; QEMU calls them only to decrypt
 * images.
 */
export async function librbdSet(of: Platform, qemu: Platform): Promise<LibrbdSet> {
  const [theirs, ours] = await Promise.all([contentsOf(of), contentsOf(qemu)]);
  const library = findLibrary(of, "librbd.so.1");
  if (library === undefined) throw new LabError("SIPHON_USAGE", `${inWords(of)} has no librbd`);
  if (isNewer(theirs.glibc, ours.glibc)) {
    throw new LabError(
      "SIPHON_USAGE",
      `the librbd of ${inWords(of)} needs glibc ${theirs.glibc}, and QEMU of ${inWords(qemu)} runs on ${ours.glibc}`,
      { hint: "run the QEMU of the newest one: --qemu ROOT" },
    );
  }
  const key = keyOf(of, theirs, qemu, ours);
  const directory = await cached("librbd", key, async (building) => {
    const files = await neededFiles(of, qemu);
    for (const file of files) await copyFile(of.file(file), join(building, basename(file)));
    await writeModule(qemu, building, files);
  });
  const modules = join(directory, "modules");
  return { directory, ...(existsSync(modules) && { moduleDirectory: modules }) };
}

/** Contents of a platform; a root may have a record. */
export async function contentsOf(platform: Platform): Promise<RootContents> {
  return platform instanceof Root ? platform.contents() : examineContents(platform);
}

/** Whether a version is higher than another, part by part; false for unknown versions. */
export function isNewer(version: string | undefined, than: string | undefined): boolean {
  const parts = (text: string | undefined) =>
    (text ?? "").split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [parts(version), parts(than)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

export function inWords(platform: Platform): string {
  return platform instanceof Root ? `the root ${platform.name}` : "this host";
}

/** Paths in `of`: librbd, and its dependencies that `qemu` lacks. */
async function neededFiles(of: Platform, qemu: Platform): Promise<string[]> {
  const needed = new Set<string>();
  for (const soname of ["librbd.so.1", "librados.so.2"]) {
    const [library] = filesOf(of, inLibraryDirectories(soname));
    if (library === undefined) continue;
    needed.add(library);
    const { stdout } = await run("ldd", [library], { from: of, anyExitCode: true });
    for (const [, file] of stdout.matchAll(/=> (\/\S+) \(/g)) needed.add(file!);
  }
  return [...needed].filter((file) => {
    const soname = basename(file);
    return ofCeph.test(soname) || filesOf(qemu, inLibraryDirectories(soname)).length === 0;
  });
}

function inLibraryDirectories(soname: string): string[] {
  return libraryDirectories.map((directory) => join(directory, soname));
}

async function writeModule(qemu: Platform, building: string, files: string[]): Promise<void> {
  const [module] = filesOf(
    qemu,
    moduleDirectories.map((directory) => join(directory, "block-rbd.so")),
  );
  if (module === undefined) return;
  const libraries = files.filter((file) => /^lib(rbd|rados)\.so/.test(basename(file)));
  const exported = await Promise.all(
    libraries.map(async (file) => exportedSymbols(await readFile(join(building, basename(file))))),
  );
  const there = new Set(exported.flatMap((names) => [...names]));
  const changed = weakened(
    await readFile(qemu.file(module)),
    (name) => /^(rbd|rados)_/.test(name) && !there.has(name),
  );
  if (changed === undefined) return;
  await mkdir(join(building, "modules"));
  await writeFile(join(building, "modules", "block-rbd.so"), changed);
}

function keyOf(of: Platform, theirs: RootContents, qemu: Platform, ours: RootContents): string {
  const inputs = JSON.stringify([of.file("/"), theirs, qemu.file("/"), ours, RECIPE]);
  const hash = createHash("sha256").update(inputs).digest("hex").slice(0, 12);
  return `${theirs.ceph ?? "unknown"}-${hash}`;
}

/** Increment this when the construction of a set changes but its inputs do not. */
const RECIPE = 1;

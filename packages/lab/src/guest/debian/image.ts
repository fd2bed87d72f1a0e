import { existsSync } from "node:fs";
import { constants, copyFile, mkdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LabError } from "../../errors.ts";
import { cached } from "../../state/cache.ts";
import { cacheDir } from "../../state/paths.ts";
import { Resource } from "../../state/resource.ts";
import { type GuestImageFiles, guestImageFiles } from "../image-files.ts";
import { keyPair } from "../ssh/key-pair.ts";
import { findArchive } from "./archive.ts";
import { makeDisk } from "./disk.ts";
import { type Recipe, recipeHash } from "./recipe.ts";
import { findPrivilege, makeRootTar } from "./root-file-system.ts";

export interface BuildGuestOptions {
  /** Bytes of the disk; default 4 GiB. */
  size?: number;
  /** Debian release; default: this machine's, if it runs Debian. */
  suite?: string;
  /** Address of a Debian archive; default: this machine's sources. */
  mirror?: string;
  /** Build it again even if it is in the cache. */
  force?: boolean;
  signal?: AbortSignal;
  /** Called with a few words about each step. */
  onProgress?: (text: string) => void;
}

const DISK = "guest.qcow2";
const GIB = 1024 ** 3;
/** The least size for the packages. */
const SMALLEST = GIB;
/** Maximum space of a build, with a margin: packages, the file tree, the raw disk, the image. */
const ROOM = 2 * GIB;

/**
 * Builds a Debian guest with an ssh server, fio and mkfs.xfs from the distribution's packages, into the cache, once per
 * recipe. siphon's ssh key can log in as root at 10.0.2.15.
 */
export async function buildGuestImage(options: BuildGuestOptions = {}): Promise<GuestImageFiles> {
  const { size = 4 * GIB, force = false, signal, onProgress = () => {} } = options;
  if (size < SMALLEST) {
    throw new LabError("SIPHON_USAGE", `a guest image of ${size} bytes is too small for its packages`, {
      hint: "give it 1G or more",
    });
  }
  const privilege = await findPrivilege();
  const { publicKey } = await keyPair();
  const recipe: Recipe = { archive: await findArchive(options), size, publicKey };
  const key = `debian-${recipe.archive.suite}-${recipeHash(recipe)}`;
  if (force) await rm(join(cacheDir(), "guest-images", key), { recursive: true, force: true });
  const directory = await cached("guest-images", key, async (building) => {
    await checkRoom(building);
    await using work = await Resource.create("work", `guest-image-${process.pid}-${Date.now()}`);
    const common = { signal, env: work.environment };
    const tarFile = join(building, "root.tar");
    const onLine = (line: string) => {
      const [, doing] = /^I: (\w+ing .+)\.\.\.$/.exec(line) ?? [];
      if (doing) onProgress(doing);
    };
    await makeRootTar(recipe, privilege, tarFile, { ...common, onLine, temporary: work.dir });
    onProgress("making the disk");
    await makeDisk(tarFile, guestImageFiles(join(building, DISK)), { size, privilege, ...common });
    await writeFile(join(building, "recipe.json"), `${JSON.stringify(recipe, null, 2)}\n`);
  });
  return guestImageFiles(join(directory, DISK));
}

/**
 * Puts a copy of the image at `file`, its kernel and initramfs beside it as FILE.vmlinuz and FILE.initrd. Each file
 * appears atomically.
 *
 * @throws LabError SIPHON_REFUSED when the file is there and `force` is not set
 */
export async function exportGuestImage(
  image: GuestImageFiles,
  file: string,
  { force = false } = {},
): Promise<GuestImageFiles> {
  const disk = resolve(file);
  if (existsSync(disk) && !force) {
    throw new LabError("SIPHON_REFUSED", `${disk} is there already`, { hint: "replace it with --force" });
  }
  const copy = guestImageFiles(disk);
  for (const part of ["kernel", "initrd", "disk"] as const) await copyAtomically(image[part], copy[part]);
  return copy;
}

async function copyAtomically(from: string, to: string): Promise<void> {
  const partial = `${to}.partial`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, partial, constants.COPYFILE_FICLONE);
    await rename(partial, to);
  } catch (cause) {
    await rm(partial, { force: true });
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOSPC")
      throw new LabError("SIPHON_NO_SPACE", `the disk is full: cannot write ${to}`, { cause });
    throw new LabError("SIPHON_PERMISSION", `cannot write ${to}: ${message}`, { cause });
  }
}

async function checkRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= ROOM) return;
  throw new LabError(
    "SIPHON_NO_SPACE",
    `building a guest image needs ${ROOM / GIB} GiB in ${cacheDir()}, of which ${(free / GIB).toFixed(1)} are free`,
    { hint: "make room, or put the cache elsewhere: SIPHON_CACHE_DIR=DIR" },
  );
}

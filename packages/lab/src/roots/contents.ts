import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { cephVersion } from "../doctor/librbd.ts";
import { run } from "../host/command.ts";
import { filesOf, libraryDirectories, type Platform } from "../host/platform.ts";

/** Contents of a root; the version of a missing program or library is undefined. */
const contents = z.object({
  /** Source of the root: a Debian suite and its mirror, or a container image. */
  source: z.string().optional(),
  /** When it was made. */
  built: z.iso.datetime().optional(),
  ceph: z.string().optional(),
  qemu: z.string().optional(),
  /** The library's own version, and its Ceph version if that differs from the programs'. */
  librbd: z.string().optional(),
  libvirt: z.string().optional(),
  fio: z.string().optional(),
  glibc: z.string().optional(),
});

export type RootContents = z.output<typeof contents>;

/** The record at the top of a root, which its programs do not see. */
export const CONTENTS_FILE = "siphon-root.json";

/** The record of a root built by siphon; undefined if there is no readable one. */
export function readContents(directory: string): RootContents | undefined {
  const file = join(directory, CONTENTS_FILE);
  if (!existsSync(file)) return undefined;
  try {
    return contents.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** Asks the programs of a root for their versions. */
export async function examineContents(platform: Platform): Promise<RootContents> {
  const library = findLibrary(platform, "librbd.so.1");
  const [ceph, qemu, libvirt, fio] = await Promise.all([
    versionOf(platform, "ceph-osd", /ceph version (\S+)/),
    versionOf(platform, "qemu-system-x86_64", /version ([\d.]+)/),
    versionOf(platform, "libvirtd", /([\d.]+)\s*$/),
    versionOf(platform, "fio", /fio-(\S+)/),
  ]);
  return {
    ceph: ceph ?? (library && cephVersion(dirname(library))),
    qemu,
    librbd: library && /\.so\.(\d[\d.]*)$/.exec(basename(library))?.[1],
    libvirt,
    fio,
    glibc: glibcVersion(platform),
  };
}

/** This process's path of a platform's library, by its soname. */
export function findLibrary(platform: Platform, soname: string): string | undefined {
  const [found] = filesOf(
    platform,
    libraryDirectories.map((directory) => join(directory, soname)),
  );
  return found && platform.file(found);
}

async function versionOf(from: Platform, program: string, pattern: RegExp): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ["--version"], { from, anyExitCode: true });
    return pattern.exec(stdout.trim())?.[1];
  } catch {
    return undefined;
  }
}

/** `2.41`, from glibc's own banner. */
function glibcVersion(platform: Platform): string | undefined {
  const file = findLibrary(platform, "libc.so.6");
  if (file === undefined) return undefined;
  return /GNU C Library [^\0\n]*version (\d+\.\d+)/.exec(readFileSync(file, "latin1"))?.[1];
}

import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openNamed } from "./named-file.ts";

/** The Ceph release of a process's librbd, and of the one that a new process would load. */
export interface LibrbdFiles {
  /** Ceph's release, such as `16.2.15`; undefined if the libraries do not contain it or cannot be read. */
  release?: string;
  /** Set if the mapped file was replaced: the file version and the release of the librbd that is now in the directory. */
  installed?: string;
}

/**
 * Reads the Ceph release of the mapped libraries. Their file names carry interface versions (`librbd.so.1.18.0`); only libceph-common
 * contains the release. A replaced file is read through /proc/PID/map_files, which needs root.
 */
export async function librbdFiles(pid: number, maps: string, proc = "/proc"): Promise<LibrbdFiles> {
  const librbd = mappingOf(maps, /\/librbd\.so\.1[^/]*$/);
  if (librbd === undefined) return {};
  const common = mappingOf(maps, /\/libceph-common\.so\.\d+$/);
  const files: LibrbdFiles = {};
  if (common !== undefined) {
    const release = await releaseOf(await reach(pid, common, proc));
    if (release !== undefined) files.release = release;
  }
  if (librbd.deleted) {
    const installed = await installedIn(pid, dirname(librbd.path), common?.path, proc);
    if (installed !== undefined) files.installed = installed;
  }
  return files;
}

interface Mapping {
  range: string;
  path: string;
  deleted: boolean;
}

function mappingOf(maps: string, name: RegExp): Mapping | undefined {
  for (const line of maps.split("\n")) {
    const match = /^([0-9a-f]+-[0-9a-f]+) .*?\s(\/.*?)( \(deleted\))?$/.exec(line);
    if (match !== null && name.test(match[2]!))
      return { range: match[1]!, path: match[2]!, deleted: match[3] !== undefined };
  }
  return undefined;
}

/** A path to the mapped file that works outside the process's root directory and after the file was replaced. */
async function reach(pid: number, { range, path, deleted }: Mapping, proc: string): Promise<string> {
  const exact = `${proc}/${pid}/map_files/${range}`;
  if (deleted || (await stat(exact).catch(() => undefined)) !== undefined) return exact;
  return within(pid, path, proc);
}

/** Resolves a path in the process's root directory, which differs from ours in a container. */
async function within(pid: number, path: string, proc: string): Promise<string> {
  const inside = join(`${proc}/${pid}/root`, path);
  return (await stat(inside).catch(() => undefined)) === undefined ? path : inside;
}

async function installedIn(
  pid: number,
  directory: string,
  common: string | undefined,
  proc: string,
): Promise<string | undefined> {
  const names = await readdir(await within(pid, directory, proc)).catch(() => []);
  const versions = names.flatMap((name) => /^librbd\.so\.(1\.\d+(?:\.\d+)*)$/.exec(name)?.[1] ?? []);
  const newest = versions.sort((a, b) => Number(a.split(".")[1]) - Number(b.split(".")[1])).at(-1);
  if (newest === undefined) return undefined;
  const release = common === undefined ? undefined : await releaseOf(await within(pid, common, proc));
  return release !== undefined && sameMajor(newest, release) ? `${newest} (Ceph ${release})` : newest;
}

/** librbd's second number is Ceph's major release since Pacific. */
function sameMajor(librbd: string, release: string): boolean {
  return librbd.split(".")[1] === release.split(".")[0];
}

/** Keyed by device and inode: the VMs of a host share their libraries. */
const known = new Map<string, Promise<string | undefined>>();

async function releaseOf(path: string): Promise<string | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return undefined;
  const key = `${status.dev}:${status.ino}:${status.mtimeMs}`;
  const found = known.get(key) ?? scan(path).catch(() => undefined);
  known.set(key, found);
  return found;
}

/** Finds a NUL-terminated string that is a Ceph release; source: CEPH_GIT_NICE_VER in src/common/version.cc. */
async function scan(path: string): Promise<string | undefined> {
  await using file = await openNamed(path);
  const piece = Buffer.alloc(1 << 20);
  const overlap = 64;
  for (let at = 0; at < largest; at += piece.length - overlap) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    const match = /\0((?:1[2-9]|2\d)\.[0-2]\.\d{1,3})(?:-[\w.~+-]*)?\0/.exec(
      piece.toString("latin1", 0, bytesRead),
    );
    if (match !== null) return match[1];
    if (bytesRead < piece.length) break;
  }
  return undefined;
}

/** Bytes; more than any library has. */
const largest = 512 << 20;

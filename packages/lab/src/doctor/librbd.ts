import { existsSync, globSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run, which } from "../host/command.ts";

/** A librbd on this machine. */
export interface Librbd {
  /** Its directory, for `--librbd`. */
  directory: string;
  /** Ceph's version, `16.2.15`; undefined if unknown. */
  ceph: string | undefined;
  /** The library's own version, from its file name: `1.16.0`. */
  library: string | undefined;
  /** Whether programs load it by default. */
  standard: boolean;
}

/** Every librbd.so.1 known to the loader or in usual directories, the default one first. */
export async function findLibrbds(): Promise<Librbd[]> {
  const known = await knownToLoader();
  const paths = [...known, ...PLACES.flatMap((pattern) => globSync(pattern))];
  const seen = new Set<string>();
  const found: Librbd[] = [];
  for (const path of paths) {
    const real = realpathSync(path);
    if (seen.has(real)) continue;
    seen.add(real);
    const directory = dirname(path);
    found.push({
      directory,
      ceph: cephVersion(directory),
      library: /\.so\.(\d[\d.]*)$/.exec(basename(real))?.[1],
      standard: path === known[0],
    });
  }
  return found;
}

const PLACES = [
  "/usr/lib/*-linux-gnu/librbd.so.1",
  "/usr/{lib,lib64}/librbd.so.1",
  "/usr/local/{lib,lib64}/librbd.so.1",
  "/usr/local/*/{lib,lib64}/librbd.so.1",
  "/opt/*/{lib,lib64}/librbd.so.1",
  "/opt/*/usr/{lib,lib64}/librbd.so.1",
];

async function knownToLoader(): Promise<string[]> {
  const ldconfig = await which("ldconfig");
  if (!ldconfig) return [];
  const { stdout } = await run(ldconfig, ["-p"]);
  return [...stdout.matchAll(/^\s*librbd\.so\.1 \(.*\) => (\S+)$/gm)]
    .map(([, path]) => path)
    .filter(existsSync);
}

/**
 * Ceph's version, from the libceph-common next to librbd: the only string in that library that is just a version.
 * (`rbd_version` gives only the library's own.)
 */
export function cephVersion(directory: string): string | undefined {
  const file = ["ceph/libceph-common.so.2", "libceph-common.so.2"]
    .map((name) => join(directory, name))
    .find(existsSync);
  if (!file) return undefined;
  const version = /\0([12]\d\.\d{1,2}\.\d{1,3}(?:-[\w.+~-]+)?)\0/;
  return version.exec(readFileSync(file, "latin1"))?.[1];
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { run, which } from "../host/command.ts";
import { filesOf, host, libraryDirectories, type Platform } from "../host/platform.ts";
import type { VmSettings } from "./settings.ts";

export type Allocator = Exclude<VmSettings["allocator"], "libc">;

/** Names of the libraries to preload, the best first. */
const sonames: Record<Allocator, string[]> = {
  tcmalloc: ["libtcmalloc.so.4", "libtcmalloc_minimal.so.4"],
  jemalloc: ["libjemalloc.so.2"],
};

/** The path of an allocator's library for programs of the platform; undefined if it is not installed. */
export async function allocatorLibrary(
  allocator: Allocator,
  platform: Platform = host,
): Promise<string | undefined> {
  if (platform !== host) {
    const paths = sonames[allocator].flatMap((soname) =>
      libraryDirectories.map((directory) => join(directory, soname)),
    );
    return filesOf(platform, paths)[0];
  }
  const known = await knownToLoader();
  for (const soname of sonames[allocator]) {
    const path = known.get(soname) ?? directories.map((dir) => join(dir, soname)).find(existsSync);
    // The loader only warns about a library that it cannot preload, and the rung would measure libc.
    if (path && existsSync(path)) return path;
  }
  return undefined;
}

const directories = ["/usr/lib64", "/usr/lib", "/usr/local/lib"];

async function knownToLoader(): Promise<Map<string, string>> {
  const ldconfig = await which("ldconfig");
  if (!ldconfig) return new Map();
  const { stdout } = await run(ldconfig, ["-p"]);
  const entries = [...stdout.matchAll(/^\s*(\S+) \(.*x86-64.*\) => (\S+)$/gm)];
  return new Map(entries.map(([, soname, path]) => [soname, path]));
}

import { existsSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { aptOptions, findArchive } from "../../packages/lab/src/guest/debian/archive.ts";
import { run } from "../../packages/lab/src/host/command.ts";
import { cached } from "../../packages/lab/src/state/cache.ts";
import { cacheDir } from "../../packages/lab/src/state/paths.ts";

/** The Debian releases that siphon is tested on. */
export const suites = ["bookworm", "trixie", "sid"] as const;

export type Suite = (typeof suites)[number];

/** What a newcomer's machine has. */
const packages = ["nodejs", "npm", "git", "ca-certificates"];

/** Milliseconds after which a root is made again, since suites change. */
const KEPT = 7 * 24 * 3600 * 1000;

/**
 * The directory of a root of that suite with just what a newcomer's machine has. It is kept in the cache and never
 * changed. Takes a minute to make; throws LabError if the mirror cannot be reached.
 */
export async function bareRoot(suite: Suite, signal?: AbortSignal): Promise<string> {
  const made = join(cacheDir(), "bare-roots", suite, "made");
  if (existsSync(made) && Date.now() - statSync(made).mtimeMs > KEPT) {
    await rm(join(cacheDir(), "bare-roots", suite), { recursive: true, force: true });
  }
  const directory = await cached("bare-roots", suite, async (building) => {
    const sources = await sourcesOf(suite);
    const options = ["--variant=apt", `--include=${packages.join(",")}`, ...aptOptions];
    await run("mmdebstrap", [...options, suite, join(building, "root"), ...sources], {
      timeoutMs: 900_000,
      signal,
    });
    // As in container images: no services are started here.
    writeFileSync(join(building, "root/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    writeFileSync(join(building, "made"), "");
  });
  return join(directory, "root");
}

/** From where this machine installs: other suites come from its mirror, too. */
async function sourcesOf(suite: Suite): Promise<string[]> {
  const { sources } = await findArchive();
  const [, mirror] = sources[0].split(" ");
  const { sources: own } = await findArchive({ suite });
  return own.length > 1 ? own : [`deb ${mirror} ${suite} main`];
}

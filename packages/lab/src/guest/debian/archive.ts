import { existsSync, readFileSync } from "node:fs";
import { run } from "../../host/command.ts";

/** Where a guest's packages come from. */
export interface Archive {
  /** Debian's name for the release: `bookworm`. */
  suite: string;
  /** Addresses of archives that hold it, the main one first, as lines of a sources.list(5). */
  sources: string[];
}

/** Arguments of mmdebstrap(1) with which its apt bears a slow mirror, and one that lags behind the archive. */
export const aptOptions = [
  '--aptopt=Acquire::http::Timeout "20"',
  '--aptopt=Acquire::Retries "2"',
  // The lists of suites that move are valid for a week; a mirror may keep them for longer.
  '--aptopt=Acquire::Check-Valid-Until "false"',
];

const FALLBACK = { suite: "bookworm", mirror: "http://deb.debian.org/debian" };

/**
 * Where a suite's packages come from: the mirror given; else, where this machine is a Debian, what it installs from itself,
 * which can be reached from here also where the internet cannot; else Debian's own.
 */
export async function findArchive({
  suite,
  mirror,
}: {
  suite?: string;
  mirror?: string;
} = {}): Promise<Archive> {
  const own = hostCodename();
  const chosen = suite ?? own ?? FALLBACK.suite;
  const only = (address: string) => ({ suite: chosen, sources: [`deb ${address} ${chosen} main`] });
  if (mirror !== undefined) return only(mirror);
  if (own === undefined) return only(FALLBACK.mirror);
  const sources = debianSources(await knownToApt());
  if (own === chosen && sources.length > 0) return { suite: chosen, sources };
  // A mirror of the archive has all suites; those of security and updates are named after another.
  const main = sources.find((line) => line.split(" ")[2] === own);
  return only(main?.split(" ")[1] ?? FALLBACK.mirror);
}

/** The sources of apt, in either of the forms of sources.list(5). */
async function knownToApt(): Promise<string> {
  const format = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)";
  const args = ["indextargets", "--format", format, "Created-By: Packages"];
  return (await run("apt-get", args, { anyExitCode: true })).stdout;
}

/** Sources of the Debian project, of which a release name alone stands for a main archive, in apt's index. */
export function debianSources(targets: string): string[] {
  const sources = new Set<string>();
  for (const line of targets.split("\n")) {
    const [origin, uri, release, component] = line.split("|");
    if (origin === "Debian" && component === "main") sources.add(`deb ${uri} ${release} main`);
  }
  return [...sources].sort((a, b) => a.split(" ")[2].length - b.split(" ")[2].length);
}

/** The release name of a Debian host; its derivatives have names and archives of their own. */
function hostCodename(file = "/etc/os-release"): string | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined;
}

import { existsSync, readFileSync } from "node:fs";
import { run } from "../../host/command.ts";

/** The source of a guest's packages. */
export interface Archive {
  /** Debian's name for the release: `bookworm`. */
  suite: string;
  /** Its archives, the main one first, as lines of a sources.list(5). */
  sources: string[];
}

/** Arguments of mmdebstrap(1) that make apt tolerate a slow or outdated mirror. */
export const aptOptions = [
  '--aptopt=Acquire::http::Timeout "20"',
  '--aptopt=Acquire::Retries "2"',
  // Package lists of changing suites are valid for a week; a mirror may keep them longer.
  '--aptopt=Acquire::Check-Valid-Until "false"',
];

const FALLBACK = { suite: "bookworm", mirror: "http://deb.debian.org/debian" };

/**
 * The source of a suite's packages: the given mirror; else, on Debian, this machine's own sources, which are reachable
 * even without the internet; else Debian's mirror.
 */
export async function findArchive({
  suite,
  mirror,
}: {
  suite?: string;
  mirror?: string;
} = {}): Promise<Archive> {
  const codename = hostCodename();
  const sources = codename === undefined ? [] : debianSources(await knownToApt());
  return archiveAmong(sources, { suite, mirror, codename });
}

/** As `findArchive`, on a machine that has these sources of the Debian project; `codename` is what it calls itself. */
export function archiveAmong(
  sources: string[],
  { suite, mirror, codename }: { suite?: string; mirror?: string; codename?: string },
): Archive {
  // Sid calls itself by the name of the release that it leads to; its packages are not that release's.
  const main = sources.find((line) => releaseOf(line) === codename) ?? sources[0];
  const own = main === undefined ? codename : releaseOf(main);
  const chosen = suite ?? own ?? FALLBACK.suite;
  if (mirror === undefined && main !== undefined && own === chosen) {
    return { suite: chosen, sources: sources.filter((line) => releaseOf(line).split("-")[0] === own) };
  }
  // A mirror of the archive has all suites; the names of security and updates derive from the main suite.
  const address = mirror ?? main?.split(" ")[1] ?? FALLBACK.mirror;
  return { suite: chosen, sources: [`deb ${address} ${chosen} main`] };
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
  return [...sources].sort((a, b) => releaseOf(a).length - releaseOf(b).length);
}

/** The release that a line of a sources.list(5) is of. */
function releaseOf(line: string): string {
  return line.split(" ")[2];
}

/** The release name of a Debian host; its derivatives have names and archives of their own. */
function hostCodename(file = "/etc/os-release"): string | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined;
}

import { existsSync, readFileSync } from "node:fs";
import { run } from "../../host/command.ts";

/** Where a guest's packages come from. */
export interface Archive {
  /** Debian's name for the release: `bookworm`. */
  suite: string;
  /** Addresses of archives that hold it, the main one first, as lines of a sources.list(5). */
  sources: string[];
}

const FALLBACK = { suite: "bookworm", mirror: "http://deb.debian.org/debian" };

/**
 * The archive that this machine itself installs from, where it is a Debian: it can be reached from here, also
 * where the internet cannot. Elsewhere, or with a mirror given, that mirror (Debian's own unless told).
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
  if (mirror === undefined && own === chosen) {
    const targets = await run(
      "apt-get",
      ["indextargets", "--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"],
      { anyExitCode: true },
    );
    const sources = debianSources(targets.stdout);
    if (sources.length > 0) return { suite: chosen, sources };
  }
  return { suite: chosen, sources: [`deb ${mirror ?? FALLBACK.mirror} ${chosen} main`] };
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

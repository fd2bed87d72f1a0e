import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { run, which } from "../../host/command.ts";
import type { UnnamedModule } from "../profile.ts";
import { readElf } from "./elf.ts";

/** Percent of all frames below which a file without symbols is not reported. */
const noteworthy = 0.5;

/**
 * The files with missing debug symbols that account for a part of the profile.
 * @param counts samples of nameless frames by file
 * @param frames samples of all frames
 */
export async function describeUnnamed(
  counts: ReadonlyMap<string, number>,
  frames: number,
): Promise<UnnamedModule[]> {
  const described = [...counts]
    .map(([file, count]) => ({ file, share: (count / Math.max(frames, 1)) * 100 }))
    .filter(({ share }) => share >= noteworthy)
    .toSorted((a, b) => b.share - a.share)
    .map(async ({ file, share }): Promise<UnnamedModule | undefined> => {
      const elf = await readElf(file);
      if (!elf || elf.symbols || hasDebugFile(elf.buildId)) return undefined;
      return { file, share, buildId: elf.buildId, package: await packageOf(file) };
    });
  return (await Promise.all(described)).filter((module) => module !== undefined);
}

/** How to get the missing names, in sentences; empty if none are missing. */
export function symbolAdvice(modules: readonly UnnamedModule[]): string[] {
  if (modules.length === 0) return [];
  const share = modules.reduce((sum, module) => sum + module.share, 0);
  const files = modules.map(({ file }) => basename(file)).join(", ");
  const packages = [
    ...new Set(modules.flatMap(({ package: own }) => (own ? [`${own.symbols}=${own.version}`] : []))),
  ];
  const rpm = modules.some(({ package: own }) => own?.symbols.endsWith("-debuginfo"));
  return [
    `${Math.round(share)} % of all frames have no function name: the debug symbols of ${files} are not installed.`,
    process.env.DEBUGINFOD_URLS
      ? "The servers in DEBUGINFOD_URLS do not have them, or could not be reached."
      : "Fetch them on demand: run the same command with DEBUGINFOD_URLS set to your distribution's server" +
        " (Debian: https://debuginfod.debian.net, Fedora and CentOS: https://debuginfod.fedoraproject.org).",
    ...(packages.length > 0 && !rpm
      ? [
          `Or install the packages of exactly these versions: apt-get install ${packages.join(" ")}` +
            " (Debian keeps them in https://deb.debian.org/debian-debug, Ubuntu in http://ddebs.ubuntu.com).",
        ]
      : []),
    ...(rpm
      ? [`Or install them: dnf debuginfo-install ${modules.map((each) => each.package?.name).join(" ")}`]
      : []),
  ];
}

/** A separate file with debug symbols: installed, or in debuginfod's cache. */
function hasDebugFile(buildId: string | undefined): boolean {
  if (!buildId) return false;
  const cache = process.env.DEBUGINFOD_CACHE_PATH ?? join(homedir(), ".cache/debuginfod_client");
  return [
    `/usr/lib/debug/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`,
    join(cache, buildId, "debuginfo"),
  ].some((path) => existsSync(path));
}

async function packageOf(file: string): Promise<UnnamedModule["package"]> {
  if (await which("dpkg-query")) return debianPackage(file);
  if (await which("rpm")) {
    const query = ["-qf", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}", file];
    const { exitCode, stdout } = await run("rpm", query, { anyExitCode: true });
    const [name, version] = stdout.split(" ");
    return exitCode === 0 && version ? { name, version, symbols: `${name}-debuginfo` } : undefined;
  }
  return undefined;
}

async function debianPackage(file: string): Promise<UnnamedModule["package"]> {
  // With a merged /usr, the package may list the file under /lib, under /usr/lib, or as the target of a link.
  const real = await realpath(file).catch(() => file);
  const candidates = [file, real].flatMap((path) => [path, path.replace(/^\/usr/, ""), `/usr${path}`]);
  for (const path of new Set(candidates)) {
    const owner = await run("dpkg-query", ["--search", path], { anyExitCode: true });
    const name = /^([^:,\s]+)/.exec(owner.stdout)?.[1];
    if (owner.exitCode !== 0 || !name) continue;
    const show = ["--show", `--showformat=\${Version}\n`, name];
    const version = await run("dpkg-query", show, { anyExitCode: true });
    return { name, version: version.stdout.split("\n")[0], symbols: `${name}-dbgsym` };
  }
  return undefined;
}

import { LabError } from "../errors.ts";
import { run, which } from "../host/command.ts";

/** A program of this host, to be carried into a guest. */
export interface Program {
  path: string;
  /** The program and every shared object that it loads. */
  files: string[];
}

/** Debian's packages where they are not called as the program. */
const debianPackages: Record<string, string> = { "mkfs.xfs": "xfsprogs", busybox: "busybox-static" };

/** Finds a program and its shared objects; throws SIPHON_MISSING_PROGRAM. */
export async function hostProgram(name: string): Promise<Program> {
  const path = await which(name);
  if (!path) throw missing(name, debianPackages[name] ?? name);
  return { path, files: [path, ...(await sharedObjects(path))] };
}

/** The path of a busybox that needs no shared objects; throws SIPHON_MISSING_PROGRAM. */
export async function staticBusybox(): Promise<string> {
  const { path, files } = await hostProgram("busybox");
  if (files.length > 1) throw missing("a static busybox", "busybox-static");
  return path;
}

/** The first line of `PROGRAM --version`. */
export async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ["--version"]);
  return stdout.trim().split("\n")[0];
}

async function sharedObjects(path: string): Promise<string[]> {
  const { stdout } = await run("ldd", [path], { anyExitCode: true });
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].map(([, file]) => file);
}

function missing(what: string, apt: string): LabError {
  return new LabError("SIPHON_MISSING_PROGRAM", `the small guest needs ${what}, which is not installed`, {
    hint: `Debian and Ubuntu: apt-get install ${apt}`,
  });
}

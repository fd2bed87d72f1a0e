import { tmpdir } from "node:os";
import { LabError } from "../../errors.ts";
import { run } from "../../host/command.ts";
import { mmdebstrapArguments, type Recipe } from "./recipe.ts";
import { type StageOptions, stage } from "./stage.ts";

/** How the build gets root in the guest's file system: as root, or in a user namespace. */
export type Privilege = "root" | "unshare";

/** @throws LabError SIPHON_PERMISSION if neither is possible */
export async function findPrivilege(what = "a guest image"): Promise<Privilege> {
  if (process.getuid?.() === 0) return "root";
  const probe = await run("unshare", [...IN_NAMESPACE, "true"], { anyExitCode: true });
  if (probe.exitCode === 0) return "unshare";
  throw new LabError(
    "SIPHON_PERMISSION",
    `building ${what} needs root or subordinate user ids: ${probe.stderr.trim()}`,
    {
      hint:
        "run it as root, or: apt-get install uidmap; " +
        "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER",
    },
  );
}

/** Arguments of unshare(1) that give root over a range of ids. */
const IN_NAMESPACE = ["--user", "--map-root-user", "--map-auto", "--"];

/** Runs a shell script as the root of `privilege`. */
export async function stageAsRoot(
  privilege: Privilege,
  script: string,
  args: string[],
  options: StageOptions,
): Promise<void> {
  const shell = ["sh", "-c", script, "sh", ...args];
  const [command, ...rest] = privilege === "root" ? shell : ["unshare", ...IN_NAMESPACE, ...shell];
  await stage(command, rest, options);
}

/**
 * Writes the guest's whole root file system, with kernel, boot loader and the right to log in, to a tar file.
 * Source: mmdebstrap(1).
 */
export async function makeRootTar(
  recipe: Recipe,
  privilege: Privilege,
  tarFile: string,
  options: StageOptions & { temporary: string },
): Promise<void> {
  const args = [`--mode=${privilege}`, ...mmdebstrapArguments(recipe, tarFile)];
  // In a user namespace it runs as a user without access to our private directories.
  const TMPDIR = privilege === "root" ? options.temporary : tmpdir();
  try {
    await stage("mmdebstrap", args, { ...options, env: { ...options.env, TMPDIR } });
  } catch (cause) {
    throw explained(cause, "a guest image", recipe.archive.sources);
  }
}

/** Names the mirror if it caused the failure, and says how to get mmdebstrap; `what` is being built. */
export function explained(cause: unknown, what: string, sources: string[]): unknown {
  if (!(cause instanceof LabError)) return cause;
  if (cause.code === "SIPHON_MISSING_PROGRAM") {
    return new LabError(cause.code, `building ${what} needs mmdebstrap, which is not installed`, {
      cause,
      hint: "Debian and Ubuntu: apt-get install mmdebstrap",
    });
  }
  if (
    !/apt-get update|Failed to fetch|Could not (resolve|connect)|Unable to locate package/i.test(
      cause.message,
    )
  ) {
    return cause;
  }
  const mirrors = [...new Set(sources.map((line) => line.split(" ")[1]))].join(", ");
  return new LabError(
    "SIPHON_PROGRAM_FAILED",
    `cannot get the packages of ${what} from ${mirrors}: ${cause.message}`,
    {
      cause,
      retryable: true,
      hint: "check that the mirror can be reached, or name another one: --mirror URL",
    },
  );
}

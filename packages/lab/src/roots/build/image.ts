import { LabError } from "../../errors.ts";
import { stage } from "../../guest/debian/stage.ts";
import { lastWords, run, which } from "../../host/command.ts";
import type { BuildContext } from "./context.ts";

/** Fills an empty directory with the files of a container image, by podman or docker; returns the source. */
export async function buildFromImage(
  directory: string,
  image: string,
  { environment, signal, onProgress }: BuildContext,
): Promise<string> {
  const engine = await findEngine(image);
  onProgress(`pulling ${image}`);
  await stage(engine, ["pull", image], { env: environment, signal, onLine: onProgress });
  const container = await createContainer(engine, image, signal);
  try {
    onProgress("unpacking the files");
    // Device nodes come from the host, and only root could create them.
    const unpack = '"$1" export "$2" | tar -x -C "$3" --no-same-owner --exclude="dev/*" --exclude="./dev/*"';
    await stage("sh", ["-c", unpack, "sh", engine, container, directory], { env: environment, signal });
  } finally {
    await run(engine, ["rm", "--force", container], { anyExitCode: true });
  }
  return image;
}

/** The container is never started; an image without a command needs any argument. */
async function createContainer(engine: string, image: string, signal?: AbortSignal): Promise<string> {
  const { stdout } = await run(engine, ["create", image, "true"], { signal });
  return stdout.trim().split("\n").at(-1)!;
}

/** A working podman or docker; throws SIPHON_MISSING_PROGRAM with the reason if there is none. */
export async function findEngine(image: string): Promise<string> {
  const reasons: string[] = [];
  for (const engine of ["podman", "docker"]) {
    if ((await which(engine)) === undefined) continue;
    const probe = await run(engine, ["info"], { anyExitCode: true, timeoutMs: 30_000 });
    if (probe.exitCode === 0) return engine;
    reasons.push(`${engine} does not work: ${lastWords({ ...probe, stdout: "" }, 1)}`);
  }
  const why = reasons.join("; ") || "neither is installed";
  throw new LabError(
    "SIPHON_MISSING_PROGRAM",
    `the root comes from the container image ${image}, which takes podman or docker: ${why}`,
    { hint: "start one of them, or take a release that Debian has: pacific, reef, tentacle" },
  );
}

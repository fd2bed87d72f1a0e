import { run } from "../host/command.ts";
import { host, type Platform } from "../host/platform.ts";
import { qemuProgram } from "./arguments.ts";
import type { Qmp } from "./qmp.ts";

/** The version of a platform's QEMU, as it reports: `10.0.13`. */
export async function qemuVersion(platform: Platform = host): Promise<string | undefined> {
  const { stdout } = await run(qemuProgram, ["--version"], { from: platform, anyExitCode: true });
  return /version (\d+(?:\.\d+)+)/.exec(stdout)?.[1];
}

/** The version of a running QEMU. */
export async function runningVersion(qmp: Qmp): Promise<string> {
  const { qemu } = (await qmp.execute("query-version")) as {
    qemu: Record<"major" | "minor" | "micro", number>;
  };
  return `${qemu.major}.${qemu.minor}.${qemu.micro}`;
}

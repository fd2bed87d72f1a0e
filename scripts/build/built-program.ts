import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { isProgramFresh, program, root } from "./checkout.ts";

/** The path of the command as it ships, which tests and benchmarks run; built first where a source is newer. */
export function builtProgram(): string {
  if (isProgramFresh()) return program;
  const build = join(root, "scripts/build/build.ts");
  const { status } = spawnSync(process.execPath, [build, "--program"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("siphon could not be built; why stands above");
  return program;
}

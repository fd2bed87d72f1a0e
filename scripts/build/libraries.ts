import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./checkout.ts";

/** Builds the published libraries, in `dist/` of each package: JavaScript, types, source maps. */
export async function buildLibraries(): Promise<void> {
  const built = join(root, "node_modules/.siphon-libraries");
  await rm(built, { recursive: true, force: true });
  try {
    const tsc = join(root, "node_modules/.bin/tsc");
    const { status } = spawnSync(tsc, ["--project", "tsconfig.build.json"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error("tsc found errors; they stand above");
    for (const name of readdirSync(built)) {
      const dist = join(root, "packages", name, "dist");
      if (!existsSync(join(root, "packages", name, "src/index.ts"))) continue;
      await rm(dist, { recursive: true, force: true });
      await cp(join(built, name, "src"), dist, { recursive: true });
    }
  } finally {
    await rm(built, { recursive: true, force: true });
  }
}

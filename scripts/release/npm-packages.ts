import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../build/checkout.ts";

interface Manifest {
  name: string;
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  [other: string]: unknown;
}

/**
 * Packs each package for `npm install`: manifests in the sources name TypeScript files, manifests in the tarballs the
 * built ones.
 *
 * @param directory where the tarballs go
 * @returns their file names
 */
export function packNpmPackages(directory: string): string[] {
  const staging = join(directory, ".npm");
  rmSync(staging, { recursive: true, force: true });
  try {
    return readdirSync(join(root, "packages")).flatMap((name) =>
      packPackage(name, join(staging, name), directory),
    );
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function packPackage(name: string, stage: string, directory: string): string[] {
  const from = join(root, "packages", name);
  const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Manifest;
  if (manifest.private) return [];
  mkdirSync(stage, { recursive: true });
  cpSync(join(from, "dist"), join(stage, "dist"), { recursive: true });
  for (const file of [join(from, "README.md"), join(root, "LICENSE")])
    cpSync(file, join(stage, file.split("/").at(-1)!));
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(packed(manifest), undefined, 2)}\n`);
  const printed = execFileSync("npm", ["pack", "--json", "--pack-destination", directory], {
    cwd: stage,
    encoding: "utf8",
  });
  return (JSON.parse(printed) as { filename: string }[]).map(({ filename }) => filename);
}

/** The command has all of siphon in its pack; its only dependencies are native modules. */
function packed({ devDependencies, exports, bin, dependencies, ...rest }: Manifest): Manifest {
  if (bin !== undefined) {
    const attach = JSON.parse(readFileSync(join(root, "packages/attach/package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const { koffi } = attach.dependencies;
    return { ...rest, bin: { siphon: "./dist/siphon.cjs" }, optionalDependencies: { koffi } };
  }
  const built = Object.entries(exports ?? {}).map(([door, source]) => {
    const path = source.replace("./src/", "./dist/");
    return [door, { types: path.replace(/\.ts$/, ".d.ts"), default: path.replace(/\.ts$/, ".js") }];
  });
  return { ...rest, exports: Object.fromEntries(built), dependencies } as Manifest;
}

import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** What a bundle was made of. */
export interface Manifest {
  /** The program, in the directory of the bundles. */
  main: string;
  /** Path, size in bytes, time of modification in milliseconds. */
  files: [path: string, size: number, modified: number][];
}

/**
 * Puts all of siphon into one script, with types and white space gone: hundreds of modules take longer to find and to read
 * than to run. It is a function and not a module: V8 keeps what it compiled of a script after it has run, of a module only what
 * it compiled to load it. Scripts cannot `import()`, so that the function is given what does (of as many letters, for the source map).
 *
 * @param directory where each bundle gets a directory of its own, and the manifest names the newest
 * @returns the path of the program
 */
export async function makeBundle(directory: string): Promise<string> {
  const name = `${prefix}${randomUUID()}`;
  const main = join(name, "siphon.cjs");
  const outdir = join(directory, name);
  await mkdir(outdir, { recursive: true, mode: 0o700 });
  try {
    const files: Manifest["files"] = [];
    await record(files, fileURLToPath(import.meta.url));
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("../main.ts", import.meta.url))],
      ...{ outfile: join(directory, main), logLevel: "silent", write: false },
      ...{ bundle: true, format: "cjs", platform: "node", target: "node24", conditions: [] },
      ...{ banner: { js: "(function (require, loadEs) {" }, footer: { js: "})" } },
      ...{ minifyWhitespace: true, legalComments: "none", sourcemap: "linked", sourcesContent: false },
      plugins: [packages, sources(files)],
    });
    for (const { path, text } of outputFiles)
      await writeFile(path, text.replaceAll('import("/', 'loadEs("/'));
    await writeWhole(join(directory, "manifest.json"), JSON.stringify({ main, files } satisfies Manifest));
    await removeOld(directory, name);
    return join(directory, main);
  } catch (error) {
    await rm(outdir, { recursive: true, force: true });
    throw error;
  }
}

const prefix = "build-";

/** What every command needs is put into the bundle; other packages stay where they are, under the path at which Node finds them. */
const packages: Plugin = {
  name: "packages",
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      const isOurs = from.kind === "entry-point" || path.startsWith("@siphon/") || path === "commander";
      if (isOurs || pluginData === packages) return undefined;
      if (path in lean && from.importer.includes("/commander/")) return { path, namespace: "lean" };
      if (path.startsWith("node:")) return { path, external: true };
      const resolved = await resolve(path, { ...from, pluginData: packages });
      return { errors: resolved.errors, path: resolved.path, external: true };
    });
    onLoad({ filter: /./, namespace: "lean" }, ({ path }) => ({ contents: lean[path]! }));
  },
};

/** What commander needs of two modules of Node: importing them opens the standard streams, or takes longer than parsing a command line. */
const lean: Readonly<Record<string, string>> = {
  "node:process": "export default process;",
  "node:child_process":
    'export default { spawn: (...args) => process.getBuiltinModule("node:child_process").spawn(...args) };',
};

/**
 * Reads modules, and records them as they were before they were read. Their `import.meta` stays that of the source: workers and
 * data files are found beside it.
 */
function sources(files: Manifest["files"]): Plugin {
  return {
    name: "sources",
    setup({ onLoad }) {
      onLoad({ filter: /./ }, async ({ path }) => {
        await record(files, path);
        const text = await readFile(path, "utf8");
        const contents = text
          .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
          .replaceAll("import.meta.filename", JSON.stringify(path));
        return { contents, loader: "default" };
      });
    },
  };
}

async function record(files: Manifest["files"], path: string): Promise<void> {
  const { size, mtimeMs } = await stat(path);
  files.push([path, size, mtimeMs]);
}

/** Never seen half written by a siphon that starts meanwhile. */
async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, path);
}

/** Bundles of yesterday and before; a siphon that has just started may be about to read a younger one. */
async function removeOld(directory: string, newest: string): Promise<void> {
  const yesterday = Date.now() - 24 * 60 * 60 * 1000;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || name === newest) continue;
    const path = join(directory, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < yesterday) await rm(path, { recursive: true, force: true });
  }
}

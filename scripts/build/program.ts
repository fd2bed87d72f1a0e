import { isAscii } from "node:buffer";
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { build, type Plugin, transform } from "esbuild";
import { root } from "./checkout.ts";
import { type Chunk, writePack } from "./pack.ts";

/**
 * Entry points of siphon's processes and threads: the command, programs that it starts in separate processes and
 * threads (`forkProgram`, `startThread`), and modules that these load by their URL.
 */
const programs = [
  "packages/cli/src/main.ts",
  "packages/attach/src/shards/shard-program.ts",
  "packages/attach/src/workers/disk-part.ts",
  "packages/attach/src/device/device-program.ts",
  "packages/rbd/src/workers/worker-program.ts",
  "packages/rbd/src/bench/load-part.ts",
  "packages/lab/src/serve/serve-image.ts",
  "packages/lab/src/baseline/siphon/load-program.ts",
];

/**
 * Modules that most commands import and few use: each gets a chunk of its own, together with what only it imports. This
 * halves the code that `rbd ls` loads, and saves a tenth of its time.
 */
const apart = [
  "packages/rbd/src/image-pool.ts",
  "packages/rbd/src/image.ts",
  "packages/rbd/src/image/open-image.ts",
  "packages/rbd/src/cache/image-cache.ts",
  "packages/rbd/src/copy/copy-image.ts",
  "packages/rbd/src/copy/deep-copy.ts",
  "packages/rbd/src/directory/clone-image.ts",
  "packages/rbd/src/directory/create-image.ts",
  "packages/rbd/src/directory/remove-image.ts",
  "packages/rbd/src/encryption/encrypted-image.ts",
  "packages/rbd/src/encryption/encryption-layers.ts",
  "packages/rbd/src/groups/group.ts",
  "packages/rbd/src/lock/exclusive-lock.ts",
  "packages/rbd/src/maintenance/carry-out.ts",
  "packages/rbd/src/maintenance/snapshots.ts",
  "packages/rbd/src/transfer/image-diff/image-diff.ts",
  "packages/rbd/src/trash/trash.ts",
  "packages/rbd/src/workers/image-workers.ts",
  "packages/rados/src/auth/aes256k-key.ts",
  "packages/rados/src/cluster/command-router.ts",
  "packages/rados/src/cluster/pool-statistics.ts",
  "packages/rados/src/cluster/status.ts",
  "packages/rados/src/messenger/v1/connection.ts",
  "packages/rados/src/objects/bench/object-bench.ts",
  "packages/rados/src/objects/object-listing.ts",
  "packages/rados/src/objects/watch/watch.ts",
];

/**
 * Builds the command as it ships: `siphon.cjs` and `siphon.pack`. Hundreds of modules take longer to find and read than
 * to run; chunks are loaded when a command needs them, already compiled.
 */
export async function buildProgram(directory: string): Promise<void> {
  const unfinished = join(directory, `.unfinished-${process.pid}`);
  await mkdir(unfinished, { recursive: true });
  try {
    await writePack(join(unfinished, "siphon.pack"), await makeChunks());
    await copyFile(join(import.meta.dirname, "launcher.cjs"), join(unfinished, "siphon.cjs"));
    // Replaced atomically: a siphon that starts meanwhile never reads a half-written file.
    for (const file of ["siphon.pack", "siphon.cjs"])
      await rename(join(unfinished, file), join(directory, file));
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function makeChunks(): Promise<Chunk[]> {
  const { outputFiles } = await build({
    entryPoints: [...programs, ...apart].map((path) => ({ in: join(root, path), out: nameOf(path) })),
    ...{ outdir: root, write: false, logLevel: "error" },
    ...{ bundle: true, splitting: true, format: "esm", platform: "node", target, supported, conditions: [] },
    ...{ chunkNames: "[name]-[hash]", legalComments: "none", sourcemap: "inline", sourcesContent: false },
    plugins: [leanCommander, onlySvg, places],
  });
  return Promise.all(outputFiles.map(({ path, text }) => makeChunk(basename(path, ".js"), text)));
}

/** A program's own name; other modules are named by their path, since base names repeat. */
function nameOf(path: string): string {
  return programs.includes(path) ? basename(path, ".ts") : path.replaceAll("/", "-").slice(0, -".ts".length);
}

const target = "node24";
/**
 * Node 24 supports `using`. In esbuild's replacement, an error that is thrown and caught in one iteration of a loop is
 * thrown again at the end of the next.
 */
const supported = { using: true };

/** Scripts rather than modules: for a module, V8's code cache keeps only the functions compiled while loading it. */
async function makeChunk(name: string, module: string): Promise<Chunk> {
  const { code, map } = await transform(module, {
    ...{ format: "cjs", platform: "node", target, supported: { ...supported, "dynamic-import": false } },
    ...{ minifyWhitespace: true, sourcemap: "external", sourcefile: `${name}.js`, sourcesContent: false },
  });
  const text = code.trimEnd().replace(wrappedExports, unwrapped);
  const source = Buffer.from(`(function (require, module, exports) {${text}\n})`);
  return { name, source, compiled: compile(name, source), sourceMap: Buffer.from(map) };
}

/** Exports as esbuild has them for whoever asks whether they are a module's: that takes a closure more for each, and a call whenever it is looked up. */
const wrappedExports = /module\.exports=__toCommonJS\((\w+)\);/;

/** Same length as before: source maps count columns. */
function unwrapped(wrapped: string, exports: string): string {
  return `module.exports=${exports};`.padEnd(wrapped.length);
}

/** Compiles all functions eagerly: lazily compiled ones would be compiled again in every process. */
function compile(name: string, source: Buffer): Buffer {
  setFlagsFromString("--no-lazy");
  try {
    const text = source.toString(isAscii(source) ? "latin1" : "utf8");
    const script = new Script(text, { filename: `siphon:${name}.js` });
    // V8 accepts cached code only under the same flags that it was stored with.
    setFlagsFromString("--lazy");
    return script.createCachedData();
  } finally {
    setFlagsFromString("--lazy");
  }
}

/**
 * The parts of two Node modules that commander needs: importing the modules opens the standard streams, or takes longer
 * than parsing a command line.
 */
const leanCommander: Plugin = {
  name: "lean commander",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(process|child_process)$/ }, ({ path, importer }) =>
      importer.includes("/commander/") ? { path, namespace: "lean" } : undefined,
    );
    onLoad({ filter: /./, namespace: "lean" }, ({ path }) => ({ contents: leanModules[path]! }));
  },
};
const leanModules: Readonly<Record<string, string>> = {
  "node:process": "export default process;",
  "node:child_process":
    'export default { spawn: (...args) => process.getBuiltinModule("node:child_process").spawn(...args) };',
};

/** Charts are written as SVG: vega's optional canvas is not needed. */
const onlySvg: Plugin = {
  name: "only SVG",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^vega-canvas$/ }, async ({ path, ...from }) => {
      if (from.pluginData === onlySvg) return undefined;
      const found = await resolve(path, { ...from, pluginData: onlySvg });
      return { path: join(dirname(found.path), "vega-canvas.browser.js") };
    });
  },
};

/** Modules in the pack have URLs with their source paths, `siphon:///packages/...`. */
const places: Plugin = {
  name: "places",
  setup({ onLoad }) {
    onLoad({ filter: /\/packages\/[a-z]+\/src\/.*\.ts$/ }, async ({ path }) => {
      const place = `/${relative(root, path)}`;
      const text = await readFile(path, "utf8");
      const contents = text
        .replaceAll("import.meta.url", JSON.stringify(`siphon://${place}`))
        .replaceAll("import.meta.filename", JSON.stringify(place));
      return { contents, loader: "ts" };
    });
  },
};

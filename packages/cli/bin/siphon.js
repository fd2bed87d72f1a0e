#!/usr/bin/env node
// @ts-check
// Plain JavaScript, as ../src/cache.js says.
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { cacheCompiledModules, cacheDirectory } from "../src/cache.js";

// Debian's own Node 24 is built without what strips types.
if (Number(process.versions.node.split(".")[0]) < 24 || !process.features.typescript) {
  console.error(
    `siphon: ${process.execPath} (${process.version}) cannot run it: it needs Node 24 with its TypeScript support. In a checkout, \`npm run setup\` brings one, and \`npm run siphon\` uses it.`,
  );
  process.exit(2);
}

/** Of this installation: there may be several. */
const directory = join(cacheDirectory, "bundle", import.meta.dirname);
const bundle = freshBundle() ?? (await madeBundle());
if (bundle === undefined) {
  cacheCompiledModules();
  await import("../src/main.ts");
} else {
  run(bundle);
}

/**
 * Runs the bundle with what V8 compiled of it when the same command ran first.
 *
 * @param {string} bundle
 */
function run(bundle) {
  const command = process.argv.slice(2, 4).filter((word) => /^[a-z][a-z-]{0,20}$/.test(word));
  const compiled = join(dirname(bundle), ["compiled", ...command].join("-"));
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  const script = new Script(readFileSync(bundle, "latin1"), { filename: bundle, cachedData });
  if (cachedData === undefined || script.cachedDataRejected) {
    process.once("exit", () => keep(compiled, script.createCachedData()));
  }
  script.runInThisContext()(createRequire(bundle), (/** @type {string} */ path) => import(path));
}

/**
 * Not for any number of words that are no commands, and never seen half written.
 *
 * @param {string} path
 * @param {Buffer} data
 */
function keep(path, data) {
  try {
    if (readdirSync(dirname(path)).length > 100) return;
    writeFileSync(`${path}.${process.pid}`, data, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch {
    // It is compiled again the next time.
  }
}

/** The bundle, unless a file that it was made of has changed. Made by someone else, it is as good as none. */
function freshBundle() {
  try {
    const manifest = join(directory, "manifest.json");
    if (statSync(manifest).uid !== process.getuid?.()) return undefined;
    /** @type {import("../src/bundle/make-bundle.ts").Manifest} */
    const { main, files } = JSON.parse(readFileSync(manifest, "utf8"));
    const isFresh = files.every(([path, size, modified]) => {
      const now = statSync(path, { throwIfNoEntry: false });
      return now?.size === size && now.mtimeMs === modified;
    });
    return isFresh ? join(directory, main) : undefined;
  } catch {
    return undefined;
  }
}

/** Without a bundle (no esbuild, no room in the cache), siphon runs from its sources: the same, but it starts later. */
async function madeBundle() {
  try {
    const { makeBundle } = await import("../src/bundle/make-bundle.ts");
    return await makeBundle(directory);
  } catch {
    return undefined;
  }
}

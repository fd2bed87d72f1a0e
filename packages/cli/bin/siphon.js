#!/usr/bin/env node
// @ts-check
// Plain JavaScript, as ../src/cache.js says.
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheCompiledModules, cacheDirectory } from "../src/cache.js";

/** Of this installation: there may be several. */
const directory = join(cacheDirectory, "bundle", import.meta.dirname);
const bundle = freshBundle() ?? (await madeBundle());
cacheCompiledModules(bundle && join(dirname(bundle), "compiled"));
await import(bundle ?? "../src/main.ts");

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

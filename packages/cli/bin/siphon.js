#!/usr/bin/env node
// @ts-check
// The command from its sources, in a checkout; what ships is dist/siphon.cjs (npm run build). Plain JavaScript, since the first
// TypeScript module makes Node load its stripper of types: by then the cache of compiled modules has to be on.
import nodeModule from "node:module";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";

// Debian's own Node 24 is built without what strips types.
if (Number(process.versions.node.split(".")[0]) < 24 || !process.features.typescript) {
  console.error(
    `siphon: ${process.execPath} (${process.version}) cannot run it: it needs Node 24 with its TypeScript support. In a checkout, \`npm run setup\` brings one, and \`npm run siphon\` uses it.`,
  );
  process.exit(2);
}

const { NODE_COMPILE_CACHE, SIPHON_CACHE_DIR, XDG_CACHE_HOME } = process.env;
// The user's own directory: whoever can write there decides what runs.
const cache = XDG_CACHE_HOME || join(homedir() || userInfo().homedir, ".cache");
nodeModule.enableCompileCache(
  NODE_COMPILE_CACHE ?? join(SIPHON_CACHE_DIR || join(cache, "siphon"), "modules"),
);
await import("../src/main.ts");

// @ts-check
// Plain JavaScript, since it runs before anything else: the first TypeScript module makes Node load its stripper of types,
// which takes longer than a short command.
import nodeModule from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const { NODE_COMPILE_CACHE, SIPHON_CACHE_DIR, XDG_CACHE_HOME } = process.env;

/** The user's own, since whoever can write there decides what runs. */
export const cacheDirectory = SIPHON_CACHE_DIR ?? join(XDG_CACHE_HOME || join(homedir(), ".cache"), "siphon");

/**
 * Modules loaded from here on are stripped of their types and compiled once, not in each process: most of the time a short
 * command takes.
 */
export function cacheCompiledModules() {
  nodeModule.enableCompileCache(NODE_COMPILE_CACHE ?? join(cacheDirectory, "modules"));
}

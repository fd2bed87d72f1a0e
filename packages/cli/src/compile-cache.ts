import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Modules loaded from here on are stripped of their types and compiled once, not in each process: most of the time a short
 * command takes. In the user's own cache, since whoever can write there decides what runs.
 */
export function cacheCompiledModules(): void {
  const { NODE_COMPILE_CACHE, SIPHON_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  const cache = SIPHON_CACHE_DIR ?? join(XDG_CACHE_HOME || join(homedir(), ".cache"), "siphon");
  enableCompileCache(NODE_COMPILE_CACHE ?? join(cache, "modules"));
}

import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";

/**
 * Directory of clusters, VMs and their sockets: `$SIPHON_STATE_DIR`, else `$XDG_STATE_HOME/siphon`, else
 * `~/.local/state/siphon`. Unix socket paths are limited to 107 bytes, so keep it short.
 */
export function stateDir(): string {
  const { SIPHON_STATE_DIR } = process.env;
  // Daemons have other working directories, so the path must be absolute.
  return SIPHON_STATE_DIR ? resolve(SIPHON_STATE_DIR) : join(xdg("XDG_STATE_HOME", ".local/state"), "siphon");
}

/** Directory of files that can be rebuilt (guest kernels, images, probes): `$SIPHON_CACHE_DIR` or XDG's. */
export function cacheDir(): string {
  return process.env.SIPHON_CACHE_DIR || join(xdg("XDG_CACHE_HOME", ".cache"), "siphon");
}

function xdg(variable: string, fallback: string): string {
  const value = process.env[variable];
  return value?.startsWith("/") ? value : join(homedir() || userInfo().homedir, fallback);
}

/** All texts in a value as others may see them: where things lie in the home directory, and not where that is. */
export function withoutHome<T>(value: T): T {
  const known = (
    [
      [stateDir(), "~/.local/state/siphon"],
      [cacheDir(), "~/.cache/siphon"],
      [homedir(), "~"],
    ] as const
  )
    .filter(([path]) => path !== "/" && path !== "")
    .map(([path, short]) => {
      const literal = path.replace(/[^\w/-]/g, "\\$&");
      return [new RegExp(`(?<![\\w/.-])${literal}(?![\\w.-])`, "g"), short] as const;
    });
  const told = (text: string) =>
    known.reduce((all, [pattern, short]) => all.replace(pattern, () => short), text);
  return mapTexts(value, told) as T;
}

function mapTexts(value: unknown, told: (text: string) => string): unknown {
  if (typeof value === "string") return told(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, told));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, told)]));
}

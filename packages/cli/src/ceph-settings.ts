import { loadCephOptions, takeSettings } from "@siphon/rados";

/** Settings of Ceph that this process was called with, by name; they hold for each of its connections. */
const given = new Map<string, string>();

export function givenSettings(): Record<string, string> {
  return Object.fromEntries(given);
}

/**
 * Takes Ceph's settings out of arguments, as all of its programs do: `--rbd-default-data-pool fast`, `--rbd_cache=false`, `--debug-ms 0`.
 * `--connect-timeout`, which only ceph has, is `client_mount_timeout`.
 *
 * @returns the arguments without them
 */
export async function takeCephSettings(args: readonly string[]): Promise<string[]> {
  given.clear();
  if (!args.some((arg) => arg.startsWith("--"))) return [...args];
  const known = new Map([...(await loadCephOptions())].filter(([name]) => !ownOptions.has(name)));
  known.set("connect_timeout", false);
  const { settings, rest } = takeSettings(args, known);
  for (const [name, value] of settings) {
    given.set(name === "connect_timeout" ? "client_mount_timeout" : name, value);
  }
  return rest;
}

/** Settings that the commands themselves have an option for, with help. */
const ownOptions = new Set(["keyring", "keyfile", "mon_host"]);

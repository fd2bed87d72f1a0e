import { loadCephOptions, takeSettings } from "@siphon/rados";

/** Settings of Ceph that this process was called with, by name; they hold for each of its connections. */
const given = new Map<string, string>();

export function givenSettings(): Record<string, string> {
  return Object.fromEntries(given);
}

/**
 * Takes Ceph's settings out of arguments, as all of its programs do: `--rbd-default-data-pool fast`, `--rbd_cache=false`, `--debug-ms 0`.
 *
 * @returns the arguments without them
 */
export async function takeCephSettings(args: readonly string[]): Promise<string[]> {
  given.clear();
  if (!args.some((arg) => arg.startsWith("--"))) return [...args];
  const known = new Map([...(await loadCephOptions())].filter(([name]) => !ownOptions.has(name)));
  const { settings, rest } = takeSettings(args, known);
  for (const [name, value] of settings) given.set(name, value);
  return rest;
}

/** Settings that the commands themselves have an option for, with help. */
const ownOptions = new Set(["keyring", "keyfile", "mon_host"]);

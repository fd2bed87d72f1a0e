import { loadCephOptions, takeSettings } from "@siphon/rados";

/** Ceph settings given on this process's command line, by name; they apply to all of its connections. */
const given = new Map<string, string>();

export function givenSettings(): Record<string, string> {
  return Object.fromEntries(given);
}

/**
 * Takes Ceph's settings out of the arguments, as all Ceph programs do: `--rbd-default-data-pool fast`,
 * `--rbd_cache=false`, `--debug-ms 0`. `--connect-timeout`, which only ceph has, is `client_mount_timeout`.
 *
 * @returns the arguments without them
 */
export async function takeCephSettings(args: readonly string[]): Promise<string[]> {
  given.clear();
  if (!args.some((arg) => arg.startsWith("--") && !usualOptions.has(arg))) return [...args];
  const ceph = await loadCephOptions();
  const isFlag = (name: string) =>
    name === "connect_timeout" ? false : ownOptions.has(name) ? undefined : ceph.get(name);
  // Options behind injectargs are settings of daemons.
  const injected = args.indexOf("injectargs");
  const end = injected < 0 ? args.length : injected;
  const { settings, rest } = takeSettings(args.slice(0, end), { get: isFlag });
  for (const [name, value] of settings) {
    given.set(name === "connect_timeout" ? "client_mount_timeout" : name, value);
  }
  return [...rest, ...args.slice(end)];
}

/** The commands' options that are not settings. If a call has only these, the large table of settings is not loaded. */
export const usualOptions: ReadonlySet<string> = new Set([
  ...["--conf", "--cluster", "--id", "--name", "--user", "--keyring", "--mon-host"],
  ...["--pool", "--namespace", "--image", "--snap", "--size", "--format", "--long", "--no-progress"],
]);

/** Settings that the commands themselves have an option for, with help. */
const ownOptions = new Set(["keyring", "keyfile", "mon_host"]);

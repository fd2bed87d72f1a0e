import type { Conf } from "../ceph/conf.ts";
import { confText } from "../ceph/conf.ts";
import { type KeyringEntry, keyringText } from "../ceph/keyring.ts";
import { monMkfs, osdMkfs } from "../cluster/daemons.ts";
import { clusterPaths, type DaemonId } from "../cluster/layout.ts";
import { LabError } from "../errors.ts";
import type { RemoteHost } from "./host.ts";
import { daemonsOn, dataDirectories, type Placement } from "./placement.ts";
import { words, writing } from "./script.ts";

/** What a host gets before its daemons' stores are made. */
export interface HostFiles {
  conf: Conf;
  /** Keys of all daemons; each host gets those of its own, and monitors all, to import them. */
  keys: KeyringEntry[];
  monmap: Buffer;
}

/** Writes directories, configuration and keys. */
export function furnishing(placement: Placement, { conf, keys, monmap }: HostFiles): string[] {
  const paths = clusterPaths(placement.home);
  const own = new Set(daemonsOn(placement).map(({ name }) => name));
  const forMons = placement.mons.length > 0;
  return [
    words("mkdir", ...dataDirectories(placement)),
    writing(paths.conf, confText(conf)),
    ...keys
      .filter(({ name }) => own.has(name))
      .map(({ name, key }) => writing(paths.keyring(name), keyringText([{ name, key }]))),
    ...(forMons ? [writing(paths.monKeyring, keyringText(keys)), writing(paths.monmap, monmap)] : []),
  ];
}

/** Makes the stores of a host's monitors and OSDs, side by side. */
export function formatting({ home, mons, osds }: Placement): string[] {
  const { monKeyring, monmap } = clusterPaths(home);
  const jobs = [
    ...mons.map((mon) => quietly(home.path(`${mon.name}.out`), "ceph-mon", ...monMkfs(home, mon))),
    ...osds.map(({ daemon, uuid }) =>
      quietly(home.path(`${daemon.name}.out`), "ceph-osd", ...osdMkfs(home, daemon, uuid)),
    ),
  ];
  return [
    ...quietlyFunction,
    "jobs=",
    ...jobs.map((job) => `${job} & jobs="$jobs $!"`),
    "for job in $jobs; do wait $job; done",
    ...(mons.length > 0 ? [words("rm", "-f", monKeyring, monmap)] : []),
  ];
}

/**
 * Starts daemons, which put themselves into the background and outlive the connection. Where systemd runs, each
 * gets a scope of its own, so that the end of the login session does not end it.
 */
export function starting({ home }: Placement, daemons: DaemonId[]): string[] {
  const { conf } = clusterPaths(home);
  return [
    ...quietlyFunction,
    "ulimit -n 65536 2> /dev/null || :",
    "scope=",
    '[ ! -d /run/systemd/system ] || [ "$(id -u)" != 0 ] || scope="systemd-run --scope --quiet"',
    ...daemons.map(
      ({ kind, id, name }) =>
        `quietly ${words(home.path(`${name}.out`))} $scope ${words(`ceph-${kind}`, "--conf", conf, "--id", id)}`,
    ),
  ];
}

/** Resolves never; throws SIPHON_DAEMON_DIED when a daemon of the host ends, or what the connection's end is. */
export async function watch(
  host: RemoteHost,
  { home }: Placement,
  daemons: DaemonId[],
  signal: AbortSignal,
): Promise<never> {
  const lines = [
    "while :; do",
    `  for name in ${words(...daemons.map(({ name }) => name))}; do`,
    `    pid=$(cat ${words(home.dir)}/"$name".pid) && kill -0 "$pid" || {`,
    `      printf '%s\\t' "$name"; tail -n 3 ${words(home.dir)}/"$name".log; exit 0`,
    "    }",
    "  done",
    "  printf '\\n'; sleep 1", // the end of the connection is noticed by writing
    "done",
  ];
  const what = "watch its daemons";
  const said = (await host.run(lines, { what, signal, timeoutMs: 2 ** 31 - 1 })).trim();
  const [name, last = ""] = said.split("\t");
  const message = `${name} on ${host.name} has ended: ${last.split("\n").join(" | ").slice(-500) || "it said nothing"}`;
  throw new LabError("SIPHON_DAEMON_DIED", message);
}

/** `quietly FILE COMMAND...` keeps a program's output in a file, and shows the end of it when it fails. */
const quietlyFunction = [
  "quietly() {",
  "  out=$1; shift",
  '  "$@" > "$out" 2>&1 || { tail -n 3 "$out" >&2; return 1; }',
  "}",
];

function quietly(file: string, ...command: string[]): string {
  return `quietly ${words(file, ...command)}`;
}

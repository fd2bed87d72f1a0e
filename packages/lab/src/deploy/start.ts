import { longestTimer } from "@siphon/wire";
import type { Conf } from "../ceph/conf.ts";
import { confText } from "../ceph/conf.ts";
import { type KeyringEntry, keyringText } from "../ceph/keyring.ts";
import { monMkfs, osdMkfs } from "../cluster/daemons.ts";
import { type ClusterHome, clusterPaths, type DaemonId } from "../cluster/layout.ts";
import { LabError } from "../errors.ts";
import { lastWords } from "../host/command.ts";
import { hostFailure } from "./failure.ts";
import type { RemoteHost } from "./host.ts";
import { daemonsOn, dataDirectories, type Placement } from "./placement.ts";
import { words, writing } from "./script.ts";

/** Files for a host before its daemons' stores are created. */
export interface HostFiles {
  conf: Conf;
  /** Keys of all daemons; each host gets its own, and monitors get all to import them. */
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

/** Creates the stores of a host's monitors and OSDs in parallel. */
export function formatting({ home, mons, osds }: Placement): string[] {
  const { monKeyring, monmap } = clusterPaths(home);
  const jobs = [
    ...mons.map((mon) => words("quietly", mon.name, "ceph-mon", ...monMkfs(home, mon))),
    ...osds.map(({ daemon, uuid }) =>
      words("quietly", daemon.name, "ceph-osd", ...osdMkfs(home, daemon, uuid)),
    ),
  ];
  return [
    ...quietlyFunction(home),
    "jobs=",
    ...jobs.map((job) => `${job} & jobs="$jobs $!"`),
    "for job in $jobs; do wait $job; done",
    ...(mons.length > 0 ? [words("rm", "-f", monKeyring, monmap)] : []),
  ];
}

/**
 * Starts daemons that run in the background and outlive the connection. With systemd, each gets its own scope, so that
 * the end of the login session does not end it.
 */
export function starting({ home }: Placement, daemons: DaemonId[]): string[] {
  const { conf } = clusterPaths(home);
  return [
    ...quietlyFunction(home),
    // As systemd does: the OSDs' default osd_class_dir may be relative (Debian's Ceph 18.2).
    "cd /",
    "ulimit -n 65536 2> /dev/null || :",
    "scope=",
    '[ ! -d /run/systemd/system ] || [ "$(id -u)" != 0 ] || scope="systemd-run --scope --quiet"',
    ...daemons.map(
      ({ kind, id, name }) => `quietly ${name} $scope ${words(`ceph-${kind}`, "--conf", conf, "--id", id)}`,
    ),
  ];
}

/** Waits until the signal aborts; throws, usually SIPHON_DAEMON_DIED, when a daemon has ended. */
export async function watch(
  host: RemoteHost,
  { home }: Placement,
  daemons: DaemonId[],
  signal: AbortSignal,
): Promise<never> {
  const dir = words(home.dir);
  const lines = [
    "while :; do",
    `  for name in ${words(...daemons.map(({ name }) => name))}; do`,
    `    pid=$(cat ${dir}/"$name".pid) && kill -0 "$pid" || {`,
    // A crashed daemon logs the reason long before the end of its log.
    `      printf '%s\\t' "$name"; ${reasonOf(`${dir}/"$name"`)}; tail -n 20 ${dir}/"$name".log; exit 0`,
    "    }",
    "  done",
    "  printf '\\n'; sleep 1", // writing detects the end of the connection
    "done",
  ];
  const said = await host.run(lines, { what: "watch its daemons", signal, timeoutMs: longestTimer });
  const [name, log = ""] = said.trim().split("\t");
  const last = lastWords({ stdout: log, stderr: "" });
  const known = hostFailure(host.inventory, `keep ${name} running`, `${last} ${reasonIn(log)}`);
  if (known.code !== "SIPHON_HOST") throw known;
  throw new LabError("SIPHON_DAEMON_DIED", `${name} on ${host.name} has ended: ${last}`);
}

/**
 * `quietly DAEMON COMMAND...` writes a program's output to a file. If the program fails, it shows the end of the
 * output, and then the line of output or log with the reason, if there is one.
 */
function quietlyFunction({ dir }: ClusterHome): string[] {
  return [
    "quietly() {",
    `  base=${words(dir)}/$1; shift`,
    '  "$@" > "$base.out" 2>&1 || {',
    '    tail -n 2 "$base.out" >&2',
    `    ${reasonOf('"$base"')} >&2`,
    "    return 1",
    "  }",
    "}",
  ];
}

/**
 * Shell code that prints the last line of a daemon's output or log with the reason of its failure, if there is one. On
 * a full disk the line may be missing.
 */
function reasonOf(base: string): string {
  const kibibytes = `$(df -Pk ${base}.out | awk 'NR == 2 { print $4 }')`;
  return (
    `{ cat ${base}.out ${base}.log 2> /dev/null | grep -E ${words(REASONS)} | tail -n 1; ` +
    `[ "${kibibytes}" -ge 64 ] || echo 'No space left on device'; }`
  );
}

/** Error texts of the C library that `hostFailure` recognises. */
const REASONS = "No space left on device|Address already in use";

function reasonIn(log: string): string {
  return new RegExp(REASONS).exec(log)?.[0] ?? "";
}

import { RadosError } from "../errors.ts";
import { settingName } from "./ini.ts";

/** The common options of Ceph's programs. */
export interface CephFlags {
  conf?: string;
  cluster?: string;
  /** Type and id, as `client.admin`. */
  name?: string;
  /** Settings, by normalized name. */
  settings: Map<string, string>;
  /** The other arguments. */
  rest: string[];
}

/**
 * Extracts Ceph's common options from arguments (ceph_argparse_early_args in src/common/ceph_argparse.cc): `-c/--conf`,
 * `--cluster`, `-n/--name`, `-i/--id/--user`, `-m/--mon-host`, `-k/--keyring`, `--keyfile`. What follows `--` is left
 * as it is.
 *
 * @param anySetting whether every other `--name=value` and `--name value` is also a setting, as in CEPH_ARGS
 * @throws RadosError SIPHON_RADOS_CONFIG for an option without its value
 */
export function parseCephFlags(args: readonly string[], anySetting = false): CephFlags {
  const flags: CephFlags = { settings: new Map(), rest: [] };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      flags.rest.push(...args.slice(i));
      break;
    }
    const [option, attached] = splitOption(arg);
    const known = names.get(option);
    const setting =
      known ?? (anySetting && option.startsWith("--") ? settingName(option.slice(2)) : undefined);
    if (setting === undefined) {
      flags.rest.push(arg);
      continue;
    }
    const next = args[i + 1];
    if (attached !== undefined) assign(flags, setting, attached);
    else if (next !== undefined && (known !== undefined || !next.startsWith("-"))) {
      assign(flags, setting, next);
      i++;
    } else if (known === undefined) assign(flags, setting, "true");
    else {
      throw new RadosError("SIPHON_RADOS_CONFIG", `${option} needs a value`);
    }
  }
  return flags;
}

/** Whether each setting is a flag, by name. */
export type KnownSettings = Pick<ReadonlyMap<string, boolean>, "get">;

/**
 * Extracts Ceph's settings from arguments, as each of its programs does before it parses its own options
 * (md_config_t::parse_argv in src/common/config.cc): `--name value`, `--name=value`, with dashes or underscores; flags
 * without a value or with one, and `--no-name`. `--default-name value` is a setting as well. What follows `--` is left
 * as it is.
 *
 * @param known whether each setting is a flag
 * @throws RadosError SIPHON_RADOS_CONFIG for a setting without its value
 */
export function takeSettings(
  args: readonly string[],
  known: KnownSettings,
): Pick<CephFlags, "settings" | "rest"> {
  const settings = new Map<string, string>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i));
      break;
    }
    const [option, attached] = splitOption(arg);
    const name = option.startsWith("--") ? settingName(option.slice(2)) : "";
    const own = named(name, known);
    if (own === undefined) {
      rest.push(arg);
      continue;
    }
    const { setting, isFlag, negated } = own;
    const next = args[i + 1];
    if (negated) settings.set(setting, "false");
    else if (attached !== undefined) settings.set(setting, attached);
    else if (!isFlag && next === undefined) {
      throw new RadosError("SIPHON_RADOS_CONFIG", `option ${option} requires an argument`);
    } else if (!isFlag || /^(true|false|yes|no|1|0)$/i.test(next ?? "")) {
      settings.set(setting, next!);
      i++;
    } else settings.set(setting, "true");
  }
  return { settings, rest };
}

/** Whether each of Ceph's settings is a flag, by name; loaded on demand. */
export async function loadCephOptions(): Promise<ReadonlyMap<string, boolean>> {
  return (await import("./ceph-options.ts")).cephOptions;
}

function named(
  name: string,
  known: KnownSettings,
): { setting: string; isFlag: boolean; negated: boolean } | undefined {
  if (name === "no_mon_config") return { setting: name, isFlag: true, negated: false };
  if (name === "mon_config") return { setting: "no_mon_config", isFlag: true, negated: true };
  const isFlag = known.get(name);
  if (isFlag !== undefined) return { setting: name, isFlag, negated: false };
  const [, prefix, setting = ""] = /^(no|default)_(.+)$/.exec(name) ?? [];
  if (prefix === "no" && known.get(setting) === true) return { setting, isFlag: true, negated: true };
  if (prefix === "default" && known.get(setting) !== undefined)
    return { setting, isFlag: false, negated: false };
  return undefined;
}

const names = new Map([
  ["-c", "conf"],
  ["--conf", "conf"],
  ["--cluster", "cluster"],
  ["-n", "name"],
  ["--name", "name"],
  ["-i", "id"],
  ["--id", "id"],
  ["--user", "id"],
  ["-m", "mon_host"],
  ["--mon-host", "mon_host"],
  ["--mon_host", "mon_host"],
  ["-k", "keyring"],
  ["--keyring", "keyring"],
  ["--keyfile", "keyfile"],
]);

function assign(flags: CephFlags, setting: string, value: string): void {
  if (setting === "conf") flags.conf = value;
  else if (setting === "cluster") flags.cluster = value;
  else if (setting === "name") flags.name = value;
  else if (setting === "id") flags.name = `client.${value}`;
  else flags.settings.set(setting, value);
}

function splitOption(arg: string): [option: string, value: string | undefined] {
  const at = arg.indexOf("=");
  return arg.startsWith("--") && at > 0 ? [arg.slice(0, at), arg.slice(at + 1)] : [arg, undefined];
}

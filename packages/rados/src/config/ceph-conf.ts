import { readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { parse as parsePath } from "node:path";
import { Secret } from "@siphon/wire";
import type { RadosRemedy } from "../errors.ts";
import { RadosError } from "../errors.ts";
import { type CephFlags, parseCephFlags } from "./flags.ts";
import { type IniSections, parseIni, settingName } from "./ini.ts";
import { parseKeyring } from "./keyring.ts";
import { type MonHost, parseMonHost } from "./mon-host.ts";

/** Sources of settings; these override the environment, which overrides the file. */
export interface CephConfOptions {
  /** Path of the configuration file; otherwise CEPH_CONF, or the first of the usual places that exists. */
  conf?: string | undefined;
  /** Otherwise the file's name without `.conf`, or `ceph`. */
  cluster?: string | undefined;
  /** Type and id of the user; otherwise `client.admin`. */
  name?: string | undefined;
  /** More settings, by name. */
  settings?: Record<string, string | undefined>;
  /** Arguments in Ceph's form, as from a command line; see parseCephFlags. They override the options above. */
  args?: readonly string[];
  env?: Record<string, string | undefined>;
}

/**
 * The configuration of a client: settings from the command line, the environment (CEPH_ARGS, CEPH_CONF,
 * CEPH_KEYRING) and ceph.conf, in that order, as Ceph's own programs find them (src/common/config.cc).
 */
export class CephConf {
  readonly cluster: string;
  /** Type and id, as `client.admin`. */
  readonly name: string;
  /** The file that was read; undefined without a file. */
  readonly path: string | undefined;
  readonly #overrides: ReadonlyMap<string, string>;
  readonly #sections: IniSections;

  private constructor(
    cluster: string,
    name: string,
    path: string | undefined,
    overrides: ReadonlyMap<string, string>,
    sections: IniSections,
  ) {
    this.cluster = cluster;
    this.name = name;
    this.path = path;
    this.#overrides = overrides;
    this.#sections = sections;
  }

  /** @throws RadosError SIPHON_RADOS_CONFIG for a requested file that cannot be read, or an invalid one */
  static async load(options: CephConfOptions = {}): Promise<CephConf> {
    const env = options.env ?? process.env;
    const inherited = parseCephFlags(env.CEPH_ARGS?.split(/\s+/).filter(Boolean) ?? [], true);
    const flags = parseCephFlags(options.args ?? []);
    const pick = (option: "conf" | "cluster" | "name") =>
      flags[option] ?? options[option] ?? inherited[option];

    const asked = pick("conf") ?? env.CEPH_CONF;
    const wanted = pick("cluster");
    const places =
      asked === undefined
        ? usualPlaces(wanted ?? "ceph", env)
        : asked.split(/[,;]/).map((path) => path.trim());
    const paths = places.filter(Boolean);
    const file = readFirst(paths);
    if (file === undefined && asked !== undefined) {
      throw missing(paths, "name-config", "name another configuration file, or set CEPH_CONF");
    }
    const sections = file === undefined ? new Map() : parseIni(file.text, file.path);
    const cluster = wanted ?? (asked === undefined ? "ceph" : clusterOf(file?.path));
    const name = pick("name") ?? "client.admin";
    return new CephConf(cluster, name, file?.path, overrides(options, env, inherited, flags), sections);
  }

  /**
   * A setting from the command line or the environment, else from the file's section of this user, of its type, or
   * global. Expands `$name`, `$id`, `$type`, `$cluster`, `$host`, `$pid`, `$home`, and references to other settings.
   */
  get(setting: string): string | undefined {
    const value = this.#raw(settingName(setting));
    return value === undefined ? undefined : this.#expand(value, 0);
  }

  /** A list setting, separated by commas, semicolons or blanks. */
  list(setting: string): string[] {
    return (this.get(setting) ?? "").split(/[,;\s]+/).filter(Boolean);
  }

  /** The monitors' addresses: `mon_host`, else `mon addr` of each monitor's section. */
  monHosts(): MonHost[][] {
    const monHost = this.get("mon_host");
    if (monHost !== undefined && monHost !== "") return parseMonHost(monHost);
    return [...this.#sections]
      .filter(([section]) => section.startsWith("mon."))
      .flatMap(([, settings]) => parseMonHost(settings.get("mon_addr") ?? ""));
  }

  /**
   * The user's key in base64 form: the setting `key`, the file named by `keyfile`, or the user's in the first
   * keyring that exists.
   *
   * @returns undefined if no keyring was found, or the user is not in it
   * @throws RadosError SIPHON_RADOS_CONFIG for a key file that is missing or empty, or a file that cannot be read
   */
  async key(): Promise<Secret | undefined> {
    const key = this.get("key");
    if (key) return Secret.ofText(key);
    const keyfile = this.get("keyfile");
    if (keyfile) {
      const text = readFirst([keyfile], "name-keyring")?.text.trim();
      if (text) return Secret.ofText(text);
      throw missing([`key in ${keyfile}`], "name-keyring", "name another file that contains only the key");
    }
    const keyrings = this.get("keyring") === undefined ? this.#usualKeyrings() : this.list("keyring");
    const file = readFirst(keyrings, "check-keyring");
    return file && parseKeyring(file.text, file.path).get(this.name)?.key;
  }

  /** Whether `key` reads keyrings. */
  get usesKeyrings(): boolean {
    return !this.get("key") && !this.get("keyfile");
  }

  #raw(setting: string): string | undefined {
    const type = this.name.slice(0, this.name.indexOf("."));
    return (
      this.#overrides.get(setting) ??
      this.#sections.get(this.name)?.get(setting) ??
      this.#sections.get(type)?.get(setting) ??
      this.#sections.get("global")?.get(setting)
    );
  }

  #usualKeyrings(): string[] {
    const { cluster, name } = this;
    const files = [`${cluster}.${name}.keyring`, `${cluster}.keyring`, "keyring", "keyring.bin"];
    return files.map((file) => `/etc/ceph/${file}`);
  }

  #expand(value: string, depth: number): string {
    return value.replaceAll(/\$(?:(\w+)|\{(\w+)\})/g, (reference, plain, braced) => {
      const variable: string = plain ?? braced;
      const dot = this.name.indexOf(".");
      switch (variable) {
        case "cluster":
          return this.cluster;
        case "name":
          return this.name;
        case "type":
          return this.name.slice(0, dot);
        case "id":
          return this.name.slice(dot + 1);
        case "host":
          return hostname().split(".", 1)[0]!;
        case "pid":
          return String(process.pid);
        case "home":
          return homedir();
        default: {
          const other = depth < deepestReference ? this.#raw(variable) : undefined;
          return other === undefined ? reference : this.#expand(other, depth + 1);
        }
      }
    });
  }
}

/** Maximum depth of references between settings. */
const deepestReference = 8;

function usualPlaces(cluster: string, env: Record<string, string | undefined>): string[] {
  return [`/etc/ceph/${cluster}.conf`, `${env.HOME ?? homedir()}/.ceph/${cluster}.conf`, `${cluster}.conf`];
}

function clusterOf(path: string | undefined): string {
  const { name, ext } = parsePath(path ?? "");
  return ext === ".conf" ? name : "ceph";
}

/**
 * The first existing file; undefined without one. The files are small: reading them synchronously is faster than a
 * thread, and a short command then starts no threads.
 *
 * @param remedy remedy if it cannot be read
 */
function readFirst(
  paths: readonly string[],
  remedy?: RadosRemedy["name"],
): { path: string; text: string } | undefined {
  for (const path of paths) {
    try {
      return { path, text: readFileSync(path, "utf8") };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") continue;
      throw new RadosError("SIPHON_RADOS_CONFIG", `cannot read ${path} (${code})`, {
        ...{ cause: error, ...(remedy && { remedy: { name: remedy } }) },
      });
    }
  }
  return undefined;
}

function missing(paths: readonly string[], name: RadosRemedy["name"], hint: string): RadosError {
  const remedy = { name } satisfies RadosRemedy;
  return new RadosError("SIPHON_RADOS_CONFIG", `there is no ${paths.join(" and no ")}`, { hint, remedy });
}

function overrides(
  options: CephConfOptions,
  env: Record<string, string | undefined>,
  inherited: CephFlags,
  flags: CephFlags,
): Map<string, string> {
  const settings = new Map<string, string>();
  if (env.CEPH_KEYRING) settings.set("keyring", env.CEPH_KEYRING);
  for (const [name, value] of inherited.settings) settings.set(name, value);
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    if (value !== undefined) settings.set(settingName(name), value);
  }
  for (const [name, value] of flags.settings) settings.set(name, value);
  return settings;
}

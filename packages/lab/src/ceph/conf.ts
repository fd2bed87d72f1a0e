import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LabError } from "../errors.ts";

/** A ceph.conf: options by section, names written with underscores. */
export type Conf = Record<string, Record<string, string>>;

/** The text of a ceph.conf. */
export function confText(conf: Conf): string {
  return Object.entries(conf)
    .filter(([, options]) => Object.keys(options).length > 0)
    .map(([section, options]) => {
      const lines = Object.entries(options).map(([name, value]) => `${name} = ${value}`);
      return `[${section}]\n${lines.join("\n")}\n`;
    })
    .join("\n");
}

/**
 * Reads the text of a ceph.conf: comments from `;` or `#`, lines continued by a backslash, blanks, dashes and
 * underscores in option names are equivalent. Options before the first section count as global's. Source: the Ceph
 * documentation, "Configuring Ceph".
 */
export function parseConf(text: string): Conf {
  const conf: Conf = {};
  let section = "global";
  for (const raw of text.replaceAll(/[ \t]*\\\r?\n[ \t]*/g, " ").split("\n")) {
    const line = raw.replace(/(^|\s)[;#].*$/, "").trim();
    const header = /^\[\s*(.*?)\s*\]$/.exec(line);
    if (header) section = header[1];
    const option = header ? null : /^([^=]+?)\s*=\s*(.*)$/.exec(line);
    if (option) {
      conf[section] ??= {};
      conf[section][option[1].replaceAll(/[\s-]+/g, "_")] = option[2];
    }
  }
  return conf;
}

/** Reads a ceph.conf; throws SIPHON_NOT_FOUND or SIPHON_PERMISSION when it cannot. */
export async function readConf(path: string): Promise<Conf> {
  try {
    return parseConf(await readFile(path, "utf8"));
  } catch (cause) {
    const denied = (cause as NodeJS.ErrnoException).code === "EACCES";
    throw new LabError(
      denied ? "SIPHON_PERMISSION" : "SIPHON_NOT_FOUND",
      `cannot read the Ceph configuration ${path}: ${(cause as Error).message}`,
      { cause, hint: "name the cluster's ceph.conf with --conf" },
    );
  }
}

/** A configuration file of one client, derived from another one. */
export interface ClientConf {
  path: string;
  /** The content without a key from the base. */
  text: string;
}

export interface ClientConfOptions {
  /** The configuration to start from. */
  base: string;
  /** The user that the options are for, without `client.`. */
  user: string;
  /** Client options such as `librados_thread_count: "1"` or `ms_client_mode: "secure"`. */
  options: Record<string, string>;
  /** A directory for the new file (made when missing); the file keeps its name, which is the cluster's name. */
  dir: string;
}

/**
 * Writes a client's configuration: the base, plus the extra options in the user's section, which takes precedence. The
 * keyring stays the base's.
 */
export async function writeClientConf({ base, user, options, dir }: ClientConfOptions): Promise<ClientConf> {
  const conf = await readConf(base);
  const section = `client.${user}`;
  const merged: Conf = { ...conf, [section]: { ...conf[section], ...options } };
  for (const name of Object.keys(merged)) {
    const keyring = merged[name].keyring;
    // A relative keyring path would depend on the program's working directory.
    if (keyring?.startsWith(".")) merged[name] = { ...merged[name], keyring: join(dirname(base), keyring) };
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, basename(base));
  await writeFile(path, confText(merged), { mode: 0o600 });
  return { path, text: confText(withoutKeys(merged)) };
}

function withoutKeys(conf: Conf): Conf {
  return Object.fromEntries(
    Object.entries(conf).map(([section, options]) => [
      section,
      Object.fromEntries(Object.entries(options).filter(([name]) => name !== "key")),
    ]),
  );
}

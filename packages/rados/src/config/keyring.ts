import { Secret } from "@siphon/wire";
import { RadosError, type RadosRemedy } from "../errors.ts";
import { type IniSections, parseIni } from "./ini.ts";

/** One user of a keyring. */
export interface KeyringEntry {
  /** In the base64 form that `ceph auth get-key` prints. */
  readonly key: Secret;
  /** The user's capabilities, by kind of daemon. */
  readonly caps: ReadonlyMap<string, string>;
}

/**
 * Parses a keyring (KeyRing::decode in src/auth/KeyRing.cc):
 *
 *     [client.admin]
 *         key = AQ...==
 *         caps mon = "allow *"
 *
 * @param what the file, for error messages
 * @returns the users that have a key, by name
 */
export function parseKeyring(text: string, what: string): Map<string, KeyringEntry> {
  const keyring = new Map<string, KeyringEntry>();
  for (const [name, settings] of sectionsOf(text, what)) {
    const key = settings.get("key");
    if (key === undefined) continue;
    const caps = new Map<string, string>();
    for (const [setting, value] of settings) {
      if (setting.startsWith("caps_")) caps.set(setting.slice("caps_".length), value);
    }
    keyring.set(name, { key: Secret.ofText(key), caps });
  }
  return keyring;
}

function sectionsOf(text: string, what: string): IniSections {
  try {
    return parseIni(text, what);
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const remedy = { name: "check-keyring" } satisfies RadosRemedy;
    throw new RadosError(error.code, error.message, { cause: error, remedy });
  }
}

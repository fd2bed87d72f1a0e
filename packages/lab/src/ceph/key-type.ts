import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { host, type Platform } from "../host/platform.ts";
import { cephEnvironment } from "./environment.ts";

/** Types of cephx keys: their number in a key, and the length of their secret (CEPH_CRYPTO_* in src/include/ceph_fs.h). */
export const keyTypes = { aes: { number: 1, bytes: 16 }, aes256k: { number: 2, bytes: 32 } } as const;
export type KeyType = keyof typeof keyTypes;

/** The type of a cluster's keys. */
export interface Keys {
  type: KeyType;
  /**
   * Whether its release creates keys of another type by default; then its monitors accept these only if their map
   * allows it.
   */
  mustBeAllowed: boolean;
}

/**
 * The type of a new cluster's keys: the requested one, or the release's default. Ceph 20.2.4 and 19.2.6 introduced
 * aes256k (CVE-2025-30156) as the default.
 */
export async function keysOf(
  asked: KeyType | undefined,
  env: Record<string, string> = {},
  from: Platform = host,
): Promise<Keys> {
  const options = { from, env: { ...cephEnvironment, ...env } };
  const { stdout } = await run("ceph-authtool", ["--gen-print-key"], options);
  const number = Buffer.from(stdout.trim(), "base64").readUInt16LE(0);
  const made = (Object.keys(keyTypes) as KeyType[]).find((type) => keyTypes[type].number === number);
  if (made === undefined && asked === undefined) {
    throw new LabError(
      "SIPHON_CLUSTER",
      `this Ceph makes keys of type ${number}, which siphon does not know`,
      {
        hint: `ask for another type with --key-type ${Object.keys(keyTypes).join("|")}`,
      },
    );
  }
  if (asked === "aes256k" && made === "aes") {
    throw new LabError("SIPHON_USAGE", "this Ceph has no keys of type aes256k", {
      hint: "they came with Ceph 20.2.4 and 19.2.6: leave --key-type out, or take a newer Ceph",
    });
  }
  return { type: asked ?? made!, mustBeAllowed: asked !== undefined && asked !== made };
}

/** Arguments for monmaptool, so that monitors accept the keys. */
export function monmapCiphers({ type, mustBeAllowed }: Keys): string[] {
  if (!mustBeAllowed) return [];
  const allowed = Object.keys(keyTypes).join(",");
  return [
    ...["--auth-allowed-ciphers", allowed],
    ...["--auth-service-cipher", type, "--auth-preferred-cipher", type],
  ];
}

/** Health checks that such monitors report permanently, although the keys were requested. */
export const insecureKeyChecks = [
  "AUTH_INSECURE_KEYS_ALLOWED",
  "AUTH_INSECURE_KEYS_CREATABLE",
  "AUTH_INSECURE_SERVICE_TICKETS",
  "AUTH_INSECURE_CLIENT_KEY_TYPE",
  "AUTH_INSECURE_SERVICE_KEY_TYPE",
  "AUTH_INSECURE_ROTATING_SERVICE_KEY_TYPE",
];

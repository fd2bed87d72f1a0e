import { hostname } from "node:os";
import { type EntityAddr, longestTimer, parseBytes } from "@siphon/wire";
import type { KeySource } from "../auth/authenticator.ts";
import type { CryptoKey } from "../auth/crypto-key.ts";
import { type EntityName, parseEntityName } from "../auth/entity-name.ts";
import { parseCryptoKey } from "../auth/read-key.ts";
import { CephConf, type CephConfOptions } from "../config/ceph-conf.ts";
import { resolveMonHosts } from "../config/mon-host.ts";
import { parseTimespan } from "../config/timespan.ts";
import type { RadosRemedy } from "../errors.ts";
import { RadosError } from "../errors.ts";
import { type ConnectionMode, connectionMode } from "../messenger/auth.ts";
import type { CoalescingOptions } from "../messenger/coalescing.ts";
import type { PeerType } from "../messenger/peer.ts";
import type { OpenTransport } from "../messenger/transport.ts";
import type { Candidate } from "../mon/candidates.ts";
import type { ObjecterOptions } from "../objecter/objecter-host.ts";
import { parseCrushLocation } from "../objecter/replica.ts";

/** Options of a connection; missing ones are found as in Ceph's programs. */
export interface ClusterOptions extends CephConfOptions {
  /** Aborts connecting. */
  signal?: AbortSignal;
  /** Milliseconds to connect; default client_mount_timeout, or 30,000. */
  connectTimeout?: number;
  /** When to wait for more replies before the next read. */
  coalescing?: CoalescingOptions;
  /**
   * The address of another client of this process to be fenced with: one blocklist entry ends both, because OSDs check
   * the first address that a client announces. Needs msgr2 on the OSDs.
   */
  fencedWith?: EntityAddr | undefined;
  /** Streams other than TCP. */
  openTransport?: OpenTransport;
}

/** Settings needed to connect to a cluster. */
export interface ClusterSettings {
  name: EntityName;
  /** Undefined with auth method none. */
  key: CryptoKey | undefined;
  /** Reads the key again from its source. */
  keySource: KeySource;
  fsid: string | undefined;
  mons: readonly Candidate[];
  /** Connection modes allowed, preferred first, by the kind of daemon. */
  modes: Record<PeerType, readonly ConnectionMode[]>;
  signMessages: boolean;
  /** Milliseconds. */
  connectTimeout: number;
  /** Default milliseconds for a command. */
  commandTimeout: number | undefined;
  pingInterval: number;
  pingTimeout: number;
  objecter: ObjecterOptions;
  /** For layers above, with their own settings. */
  conf: CephConf;
}

export async function resolveSettings(options: ClusterOptions): Promise<ClusterSettings> {
  const conf = await CephConf.load(options);
  assertConfigured(conf);
  const name = parseEntityName(conf.name);
  const key = await findKey(conf);
  const seconds = (setting: string, otherwise: number) =>
    Math.min(readNumber(conf, setting, otherwise, parseTimespan) * 1000, longestTimer);
  // Zero is no limit (authenticate and tick in src/mon/MonClient.cc).
  const limit = (setting: string, otherwise: number) => seconds(setting, otherwise) || longestTimer;
  const commandTimeout = seconds("rados_mon_op_timeout", 0);
  const modes = {
    mon: readModes(conf, "ms_mon_client_mode", "secure crc", key),
    osd: readModes(conf, "ms_client_mode", "crc secure", key),
    mgr: readModes(conf, "ms_client_mode", "crc secure", key),
  };
  return {
    ...{ conf, name, key, modes },
    keySource: () => findKey(conf),
    fsid: conf.get("fsid") || undefined,
    mons: await findMons(conf, modes.mon),
    signMessages: !["false", "no", "0"].includes(conf.get("cephx_sign_messages") ?? "true"),
    connectTimeout: options.connectTimeout ?? limit("client_mount_timeout", 30),
    commandTimeout: commandTimeout > 0 ? commandTimeout : undefined,
    pingInterval: Math.max(seconds("mon_client_ping_interval", 10), leastPingInterval),
    pingTimeout: limit("mon_client_ping_timeout", 30),
    objecter: {
      limits: {
        // Zero is no limit, as for Ceph's throttles.
        ops: readNumber(conf, "objecter_inflight_ops", 1024) || Number.POSITIVE_INFINITY,
        bytes:
          readNumber(conf, "objecter_inflight_op_bytes", 100 << 20, parseBytes) || Number.POSITIVE_INFINITY,
      },
      timeout: seconds("rados_osd_op_timeout", 0),
      location: parseCrushLocation(conf.get("crush_location") ?? `host=${hostname().split(".")[0]}`),
    },
  };
}

/** Milliseconds. */
const leastPingInterval = 1000;

/**
 * @throws RadosError SIPHON_RADOS_CONFIG without a ceph.conf and mon_host, before other settings are reported as
 * missing
 */
function assertConfigured(conf: CephConf): void {
  if (conf.path !== undefined || conf.monHosts().length > 0) return;
  const { cluster } = conf;
  throw new RadosError("SIPHON_RADOS_CONFIG", `there is no ceph.conf of cluster ${cluster}`, {
    hint: `looked for /etc/ceph/${cluster}.conf, ~/.ceph/${cluster}.conf and ./${cluster}.conf`,
    remedy: { name: "find-config" } satisfies RadosRemedy,
  });
}

/** The key for cephx; undefined if authentication is off, or if it may be off and there is no key. */
async function findKey(conf: CephConf): Promise<CryptoKey | undefined> {
  const setting = conf.get("auth_supported") ? "auth_supported" : "auth_client_required";
  const methods = conf.get(setting) === undefined ? ["cephx"] : conf.list(setting);
  const unknown = methods.find((method) => method !== "cephx" && method !== "none");
  if (unknown !== undefined || methods.length === 0) {
    throw new RadosError(
      "SIPHON_RADOS_CONFIG",
      `${setting} names ${unknown === undefined ? "no method" : `the unsupported method ${unknown}`}`,
      {
        hint: "supported methods are cephx and none",
      },
    );
  }
  if (!methods.includes("cephx")) return undefined;
  const key = await conf.key();
  if (key !== undefined) {
    return parseCryptoKey(key.reveal(), conf.name, conf.usesKeyrings ? "check-keyring" : "check-key");
  }
  if (methods.includes("none")) return undefined;
  throw new RadosError("SIPHON_RADOS_CONFIG", `no keyring has a key for ${conf.name}`, {
    hint: "name the keyring with `keyring` in ceph.conf or CEPH_KEYRING",
    remedy: { name: "name-keyring" } satisfies RadosRemedy,
  });
}

function readModes(
  conf: CephConf,
  setting: string,
  otherwise: string,
  key: CryptoKey | undefined,
): ConnectionMode[] {
  const listed = conf.get(setting) === undefined ? otherwise.split(" ") : conf.list(setting);
  const modes = listed.filter((mode): mode is ConnectionMode => Object.hasOwn(connectionMode, mode));
  if (modes.length !== listed.length || modes.length === 0) {
    throw new RadosError("SIPHON_RADOS_CONFIG", `${setting} is not crc, secure or both: ${listed.join(" ")}`);
  }
  if (key !== undefined) return modes;
  // Without authentication there are no keys to encrypt with.
  if (modes.includes("crc")) return ["crc"];
  throw new RadosError(
    "SIPHON_RADOS_MODE",
    `${setting} requires secure mode, which needs cephx authentication`,
    {
      hint: "set auth_client_required = cephx and give a keyring, or allow crc mode",
    },
  );
}

async function findMons(conf: CephConf, modes: readonly ConnectionMode[]): Promise<Candidate[]> {
  const found = await resolveMonHosts(conf.monHosts());
  if (found.length === 0) {
    throw new RadosError("SIPHON_RADOS_CONFIG", "no monitor is configured", {
      hint: `set mon_host in ${conf.path ?? "a ceph.conf"}`,
      remedy: { name: "name-monitors" } satisfies RadosRemedy,
    });
  }
  const mayUseV1 = modes.includes("crc");
  const mons = found
    .map((addrs) => ({ name: "mon", addrs: addrs.filter(({ type }) => mayUseV1 || type === "msgr2") }))
    .filter(({ addrs }) => addrs.length > 0);
  if (mons.length > 0) return mons;
  throw new RadosError(
    "SIPHON_RADOS_MODE",
    "secure mode is required, but only v1 addresses of the monitors are known, and protocol v1 cannot encrypt",
    { hint: "give their v2 addresses in mon_host, or allow crc in ms_mon_client_mode" },
  );
}

function readNumber(
  conf: CephConf,
  setting: string,
  otherwise: number,
  parse: (text: string) => number | undefined = Number,
): number {
  const text = conf.get(setting);
  if (text === undefined || text === "") return otherwise;
  const value = parse(text);
  if (value !== undefined && Number.isFinite(value) && value >= 0) return value;
  throw new RadosError("SIPHON_RADOS_CONFIG", `${setting} is not a number: ${text}`);
}

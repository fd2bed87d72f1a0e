import { parseCephFlags } from "@siphon/rados";
import { parseBytes, SiphonError } from "@siphon/wire";
import type { ConnectFlags } from "../../cluster-options.ts";
import { refusedOptions } from "./refused.ts";

/** Options of the rados program, in addition to a verb and its arguments. */
export interface RadosFlags {
  pool?: string;
  namespace?: string;
  /** Locator key: places the object instead of its name. */
  locator?: string;
  /** Name of a snapshot of the pool, to read from. */
  snap?: string;
  /** Id of a snapshot of the pool, or of a self-managed one. */
  snapId?: number;
  /** Files that hold the name of the object, and the omap's key, instead of the arguments. */
  nameFile?: string;
  keyFile?: string;
  /** ls: objects of all namespaces. */
  all: boolean;
  format: "plain" | "json" | "json-pretty";
  /** put, append, get, bench: bytes per request. */
  blockSize?: number;
  /** bench: bytes per object. */
  objectSize?: number;
  /** put: offset of the first byte. */
  offset: number;
  /** bench: requests in flight. */
  concurrency: number;
  maxObjects: number;
  runName?: string;
  prefix?: string;
  cleanup: boolean;
  verify: boolean;
  /** setomapval: the value is the content of this file. */
  inputFile?: string;
  /** cp: target of the copy. */
  targetPool?: string;
  targetNamespace?: string;
  targetLocator?: string;
  /** purge: confirms that everything is removed. */
  reallyMeant: boolean;
  /** cppool: copy even if snapshots are lost. */
  meant: boolean;
  /** rm: also in a full pool. */
  whenFull: boolean;
  /** import: keep existing objects, or write nothing. */
  keepExisting: boolean;
  dryRun: boolean;
  /** The pool is created first; it must not exist. */
  create: boolean;
  /** ls, bench: the list, or the result in JSON, goes to this file. */
  output?: string;
  /** lock: the lock's tag, cookie, description, seconds until it expires, and type. */
  lockTag?: string;
  lockCookie?: string;
  lockDescription?: string;
  lockDuration?: number;
  lockType?: "exclusive" | "shared";
}

export interface RadosArguments {
  flags: RadosFlags;
  connect: ConnectFlags;
  /** The verb and its arguments. */
  words: string[];
}

type Assign = (flags: RadosFlags, value: string, option: string) => void;

const withValue = new Map<string, Assign>();
const without = new Map<string, (flags: RadosFlags) => unknown>([
  ["--all", (flags) => (flags.all = true)],
  ["--default", (flags) => (flags.namespace = "")],
  ["--no-cleanup", (flags) => (flags.cleanup = false)],
  ["--no-verify", (flags) => (flags.verify = false)],
  ["--no-hints", () => {}],
  ["--force-full", (flags) => (flags.whenFull = true)],
  ["--pretty-format", (flags) => (flags.format = "json-pretty")],
  ["--no-overwrite", (flags) => (flags.keepExisting = true)],
  ...["-C", "--create", "--create-pool"].map(
    (name) => [name, (flags: RadosFlags) => (flags.create = true)] as const,
  ),
  ["--dry-run", (flags) => (flags.dryRun = true)],
  ["--yes-i-really-mean-it", (flags) => (flags.meant = true)],
  ["--yes-i-really-really-mean-it", (flags) => (flags.reallyMeant = true)],
]);

function option(names: string, assign: Assign): void {
  for (const name of names.split(" ")) withValue.set(name, assign);
}

option("-p --pool", (flags, value) => (flags.pool = value));
option("-N --namespace", (flags, value) => (flags.namespace = value));
option("--object-locator", (flags, value) => (flags.locator = value));
option("-s --snap", (flags, value) => (flags.snap = value));
option("-S --snapid", (flags, value, name) => (flags.snapId = count(name, value)));
option("--obj-name-file", (flags, value) => (flags.nameFile = value));
option("--omap-key-file", (flags, value) => (flags.keyFile = value));
option("-f --format", (flags, value) => (flags.format = formatOf(value)));
option("-b --block-size", (flags, value, name) => (flags.blockSize = size(name, value)));
option("-O --object-size", (flags, value, name) => (flags.objectSize = size(name, value)));
option("--offset", (flags, value, name) => (flags.offset = size(name, value)));
option("-t --concurrent-ios", (flags, value, name) => (flags.concurrency = count(name, value)));
option("--max-objects", (flags, value, name) => (flags.maxObjects = count(name, value)));
option("--run-name", (flags, value) => (flags.runName = value));
option("--prefix", (flags, value) => (flags.prefix = value));
option("--input-file", (flags, value) => (flags.inputFile = value));
option("--target-pool", (flags, value) => (flags.targetPool = value));
option("--target-nspace", (flags, value) => (flags.targetNamespace = value));
option("--target-locator", (flags, value) => (flags.targetLocator = value));
option("--lock-tag", (flags, value) => (flags.lockTag = value));
option("--lock-cookie", (flags, value) => (flags.lockCookie = value));
option("--lock-description", (flags, value) => (flags.lockDescription = value));
option("--lock-duration", (flags, value, name) => (flags.lockDuration = count(name, value)));
option("-o --output", (flags, value) => (flags.output = value));
option("--lock-type", (flags, value) => (flags.lockType = lockTypeOf(value)));

// For load-gen, which siphon does not have; as in rados, the other verbs take them without effect.
const ofLoadGen = "--min-object-size --max-object-size --min-op-len --max-op-len --max-ops --max-backlog";
for (const name of `${ofLoadGen} --target-throughput --read-percent --num-objects --run-length`.split(" ")) {
  option(name, (_flags, value) => void size(name, value));
}

export function optionNames(): string[] {
  return [...withValue.keys(), ...without.keys()];
}

/** Extracts the flags of Ceph's programs and of rados from the arguments, before and after the verb. */
export function parseRadosArguments(args: readonly string[]): RadosArguments {
  const flags: RadosFlags = {
    ...{ all: false, format: "plain", offset: 0, concurrency: 16, maxObjects: 0 },
    ...{ cleanup: true, verify: true, reallyMeant: false, meant: false },
    ...{ keepExisting: false, dryRun: false, whenFull: false, create: false },
  };
  const { conf, cluster, name, settings, rest } = parseCephFlags(args);
  const words: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const arg = rest[i]!;
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const key = equals < 0 ? arg : arg.slice(0, equals);
    const assign = withValue.get(key);
    if (arg === "--") {
      words.push(...rest.slice(i + 1));
      break;
    }
    if (assign !== undefined) {
      const value = equals < 0 ? rest[++i] : arg.slice(equals + 1);
      if (value === undefined) throw new SiphonError("SIPHON_USAGE", `${key} needs a value`);
      assign(flags, value, key);
    } else if (without.has(arg)) without.get(arg)!(flags);
    else if (refusedOptions.has(key)) {
      const hint = refusedOptions.get(key)!;
      throw new SiphonError("EOPNOTSUPP", `siphon does not do rados ${key}`, { hint });
    } else if (/^--?[a-zA-Z]/.test(arg)) {
      throw new SiphonError("SIPHON_USAGE", `there is no option ${arg}`, { hint: "siphon rados --help" });
    } else words.push(arg);
  }
  const monHost = settings.get("mon_host");
  const keyring = settings.get("keyring");
  const connect: ConnectFlags = {
    ...{ ...(conf && { conf }), ...(cluster && { cluster }), ...(name && { name }) },
    ...{ ...(monHost && { monHost }), ...(keyring && { keyring }) },
  };
  return { flags, connect, words };
}

function formatOf(text: string): RadosFlags["format"] {
  if (text === "plain" || text === "json" || text === "json-pretty") return text;
  throw new SiphonError("SIPHON_USAGE", `there is no format ${text}: plain, json or json-pretty`);
}

function lockTypeOf(text: string): "exclusive" | "shared" {
  if (text === "exclusive" || text === "shared") return text;
  throw new SiphonError("SIPHON_USAGE", `there is no type of lock ${text}: exclusive or shared`);
}

function count(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new SiphonError("SIPHON_USAGE", `${name} takes a number, and not ${text}`);
}

/** `65536`, `64K`, `4M`; in powers of 1,024. As in rados, units are in capitals. */
function size(name: string, text: string): number {
  const bytes = /[a-hj-z]/.test(text) ? undefined : parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new SiphonError("SIPHON_USAGE", `${name} takes a size, and not ${text}`);
}

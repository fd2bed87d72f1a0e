import { isAbsolute } from "node:path";
import type { CachePolicy, EncryptionLayer } from "@siphon/rbd";
import { AttachError } from "../errors.ts";
import type { ErrorPolicy } from "../health/pausing-device.ts";
import { type AttachRequest, checkRequest, mostWorkers } from "../server/attach-images.ts";
import { type ImageSpec, parseImageSpec } from "../server/image-spec.ts";
import { parseListenAddress } from "../server/listen.ts";
import { type AccessWords, socketAccess } from "../server/socket-access.ts";
import { parseDiskLimits } from "../throttle/disk-limits.ts";

/**
 * A disk's definition in files and on the control socket: the options of `siphon attach` without dashes. Options of
 * encryption may repeat, for the layers of a clone.
 */
export type DiskWords = Readonly<Record<string, string | readonly string[]>>;

/** A parsed definition of a disk. */
export interface DiskDefinition {
  readonly name: string;
  readonly words: DiskWords;
  readonly image: ImageSpec;
  readonly request: AttachRequest;
}

export interface DiskDefaults {
  /** Directory of sockets for disks that name none. */
  readonly socketDirectory: string;
  readonly access: AccessWords;
}

/** @throws AttachError SIPHON_USAGE for an invalid definition */
export async function defineDisk(
  name: string,
  words: DiskWords,
  defaults: DiskDefaults,
): Promise<DiskDefinition> {
  checkName(name);
  for (const [word, value] of Object.entries(words)) checkWord(word, value);
  const word = (key: string) => words[key] as string | undefined;
  const imageText = word("image");
  if (imageText === undefined) throw usage("a disk needs an image", "write image = POOL/IMAGE");
  const image = parseImageSpec(imageText);
  const workers = word("workers");
  const usual = `${defaults.socketDirectory}/${name}.sock`;
  const saysWhere = word("nbd") !== undefined || word("vhost") !== undefined;
  // With workers, NBD is the default.
  const nbd = word("nbd") ?? (saysWhere || workers === undefined ? undefined : usual);
  const vhost = word("vhost") ?? (saysWhere || workers !== undefined ? undefined : usual);
  const address = nbd === undefined ? undefined : parseListenAddress(nbd);
  const files = listed(words["encryption-passphrase-file"]);
  const tls = word("tls-certs");
  const paths = [vhost, address !== undefined && "path" in address ? address.path : undefined, tls, ...files];
  for (const path of paths) if (path !== undefined) checkPath(path);
  const hasUnixSocket = vhost !== undefined || (address !== undefined && "path" in address);
  const own = { user: word("socket-user"), group: word("socket-group"), mode: word("socket-mode") };
  const isOwn = Object.values(own).some((each) => each !== undefined);
  const access = isOwn ? own : defaults.access;
  const hasAccess = isOwn || (hasUnixSocket && Object.values(access).some((each) => each !== undefined));
  const encryption = layersOf(listed(words["encryption-format"]), files);
  const cache = oneOf("cache", word("cache"), cachePolicies);
  const onError = oneOf("on-error", word("on-error"), errorPolicies);
  const limit = word("limit");
  const queues = word("queues");
  const request: AttachRequest = {
    images: [image],
    ...(address && { nbd: [address] }),
    ...(vhost !== undefined && { vhost: [vhost] }),
    ...(flag("read-only", word("read-only")) && { readOnly: true }),
    ...(flag("migratable", word("migratable")) && { migratable: true }),
    ...(hasAccess && { access: await socketAccess(access) }),
    ...(encryption && { encryption }),
    ...(cache !== undefined && cache !== "none" && { cache: cache as CachePolicy }),
    ...(onError !== undefined && { onError: onError as ErrorPolicy }),
    ...(limit !== undefined && { limits: parseDiskLimits(limit) }),
    ...(queues !== undefined && { queues: countOf("queues", queues, 256) }),
    ...(workers !== undefined && { workers: countOf("workers", workers, mostWorkers) }),
    ...(tls !== undefined && { tlsCertificates: tls }),
  };
  checkRequest(request);
  return { name, words, image, request };
}

/** Whether a word may repeat. */
export function isRepeatable(word: string): boolean {
  return word.startsWith("encryption-");
}

/** The default name of a disk: its image's name as a valid file name. */
export function usualName(image: string): string {
  return image.replaceAll(/[^A-Za-z0-9_.+-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}$/.test(name)) return;
  throw usage(
    `invalid disk name ${JSON.stringify(name.slice(0, 120))}`,
    "a name has letters, digits and _.+- and begins with a letter or digit",
  );
}

/** The words that describe a disk. */
const diskWords = [
  ...["image", "nbd", "vhost", "read-only", "migratable", "queues", "workers"],
  ...["socket-user", "socket-group", "socket-mode", "cache", "limit", "on-error"],
  ...["encryption-format", "encryption-passphrase-file", "tls-certs"],
] as const;

const cachePolicies = ["none", "writethrough", "writearound", "writeback"];
const errorPolicies = ["report", "pause"];

function checkWord(word: string, value: unknown): void {
  if (!(diskWords as readonly string[]).includes(word)) {
    throw usage(
      `a disk has no option ${JSON.stringify(word.slice(0, 80))}`,
      `its options are ${diskWords.join(", ")}`,
    );
  }
  const values: unknown[] = isRepeatable(word) && Array.isArray(value) ? value : [value];
  for (const each of values) {
    if (typeof each !== "string" || each === "" || [...each].some((char) => char < " ")) {
      throw usage(`${word} must be one line of text that is not empty`);
    }
  }
}

/** Paths must be absolute, because they must not depend on the service's working directory. */
function checkPath(path: string): void {
  if (!isAbsolute(path)) throw usage(`${path} is not an absolute path`);
}

function listed(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

function layersOf(formats: readonly string[], files: readonly string[]): EncryptionLayer[] | undefined {
  if (formats.length === 0 && files.length === 0) return undefined;
  if (formats.length > 0 && formats.length !== files.length) {
    throw usage("give encryption-format as often as encryption-passphrase-file, or not at all");
  }
  return files.map((passphraseFile, i) => ({ version: luksVersion(formats[i]), passphraseFile }));
}

function luksVersion(format: string | undefined): 1 | 2 | undefined {
  const known = oneOf("encryption-format", format, ["luks", "luks1", "luks2"]);
  return known === "luks1" ? 1 : known === "luks2" ? 2 : undefined;
}

function oneOf(word: string, value: string | undefined, known: readonly string[]): string | undefined {
  if (value === undefined || known.includes(value)) return value;
  throw usage(`${word} cannot be ${value}`, `it must be ${known.slice(0, -1).join(", ")} or ${known.at(-1)}`);
}

function flag(word: string, value: string | undefined): boolean {
  return oneOf(word, value, ["yes", "no"]) === "yes";
}

function countOf(word: string, text: string, most: number): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most)
    throw usage(`${word} cannot be ${text}`, `it must be a number from 1 to ${most}`);
  return count;
}

function usage(message: string, hint?: string): AttachError {
  return new AttachError("SIPHON_USAGE", message, hint === undefined ? {} : { hint });
}

import { parseBytes } from "@siphon/wire";
import { AttachError } from "../errors.ts";

/** Names of limits: I/Os and bytes per second, of all operations on a disk, of reads, and of writes. */
export const limitNames = ["iops", "read-iops", "write-iops", "bps", "read-bps", "write-bps"] as const;
export type LimitName = (typeof limitNames)[number];

export interface Limit {
  /** I/Os or bytes a second; 0 for no limit. */
  readonly rate: number;
  /** The rate of a burst after lower use; 0, or more than the rate. */
  readonly burst: number;
  /** Maximum duration of a burst. */
  readonly burstSeconds: number;
}

/** Missing limits stay unchanged, or come from RBD's settings. */
export type DiskLimits = Partial<Record<LimitName, Limit>>;

/**
 * `NAME=RATE,...` with the names above, `NAME-burst` and `NAME-burst-seconds`; bytes may be written as 100M.
 *
 * @throws AttachError SIPHON_USAGE for anything else
 */
export function parseDiskLimits(text: string): DiskLimits {
  const values = new Map<string, number>();
  for (const part of text.split(",")) {
    const [, name, value] = /^\s*([a-z-]+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || value === undefined) throw usage(`${part} is not a limit`);
    if (values.has(name)) throw usage(`${name} is given twice`);
    values.set(name, parseRate(name, value));
  }
  const limits: DiskLimits = {};
  for (const name of limitNames) {
    const rate = values.get(name);
    const burst = values.get(`${name}-burst`) ?? 0;
    const burstSeconds = values.get(`${name}-burst-seconds`) ?? 1;
    for (const known of [name, `${name}-burst`, `${name}-burst-seconds`]) values.delete(known);
    if (rate === undefined && (burst > 0 || burstSeconds !== 1))
      throw usage(`a burst needs a limit: ${name}=`);
    if (rate !== undefined) limits[name] = checked(name, { rate, burst, burstSeconds });
  }
  const [unknown] = values.keys();
  if (unknown !== undefined) throw usage(`there is no limit ${unknown}`);
  return limits;
}

export function formatDiskLimits(limits: DiskLimits): string {
  return limitNames
    .flatMap((name) => {
      const limit = limits[name];
      if (limit === undefined) return [];
      const burst = limit.burst > 0 ? [`${name}-burst=${limit.burst}`] : [];
      const seconds =
        limit.burst > 0 && limit.burstSeconds !== 1 ? [`${name}-burst-seconds=${limit.burstSeconds}`] : [];
      return [`${name}=${limit.rate}`, ...burst, ...seconds];
    })
    .join(",");
}

function checked(name: LimitName, limit: Limit): Limit {
  const { rate, burst, burstSeconds } = limit;
  if (burst > 0 && burst <= rate) throw usage(`${name}-burst must exceed ${name}`);
  if (burst > 0 && rate === 0) throw usage(`${name}=0 means no limit, so it can have no burst`);
  if (burstSeconds < 1 || burstSeconds > longestBurst) {
    throw usage(`${name}-burst-seconds must be from 1 to ${longestBurst}`);
  }
  return limit;
}

function parseRate(name: string, text: string): number {
  const isBytes = /bps(-burst)?$/.test(name);
  const value = isBytes || /^\d+$/.test(text) ? parseBytes(text) : undefined;
  if (value === undefined) throw usage(`${name} cannot be ${text}`);
  if (value > mostRate) throw usage(`${name} cannot be as large as ${text}`);
  return value;
}

function usage(what: string): AttachError {
  return new AttachError("SIPHON_USAGE", what, {
    hint: `limits are NAME=RATE, with commas between, of ${limitNames.join(", ")}, each with -burst and -burst-seconds: iops=1000,iops-burst=2000,bps=100M`,
  });
}

const longestBurst = 86_400;
const mostRate = 1e15;

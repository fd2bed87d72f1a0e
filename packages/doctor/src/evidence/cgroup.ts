import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface CgroupCpu {
  /** The most CPUs that the process may use; Infinity for no limit. */
  cpus: number;
  /** Path of the cgroup file that sets the limit. */
  file: string | undefined;
  periods: number;
  throttled: number;
}

/** The tightest CPU quota among a process's control groups (cgroup v1 or v2), and how often it was reached. */
export async function cgroupCpu(
  pid: number,
  proc = "/proc",
  root = "/sys/fs/cgroup",
): Promise<CgroupCpu | undefined> {
  const text = await readFile(`${proc}/${pid}/cgroup`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const unified = /^0::(.*)$/m.exec(text)?.[1];
  const legacy = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m.exec(text)?.[1];
  const found: CgroupCpu = { cpus: Number.POSITIVE_INFINITY, file: undefined, periods: 0, throttled: 0 };
  if (legacy !== undefined) await walk(join(root, "cpu"), legacy, legacyQuota, found);
  if (unified !== undefined) await walk(root, unified, unifiedQuota, found);
  return found;
}

type Quota = (directory: string) => Promise<{ cpus: number; file: string } | undefined>;

/** Walks up the hierarchy: the limits of all parent groups apply as well. */
async function walk(root: string, path: string, quota: Quota, found: CgroupCpu): Promise<void> {
  for (let at = path; ; at = dirname(at)) {
    const directory = join(root, at);
    const limit = await quota(directory);
    if (limit !== undefined && limit.cpus < found.cpus) {
      found.cpus = limit.cpus;
      found.file = limit.file;
      const stat = await readFile(join(directory, "cpu.stat"), "utf8").catch(() => "");
      found.periods = Number(/^nr_periods (\d+)/m.exec(stat)?.[1] ?? 0);
      found.throttled = Number(/^nr_throttled (\d+)/m.exec(stat)?.[1] ?? 0);
    }
    if (at === "/" || at === "." || at === "") return;
  }
}

const unifiedQuota: Quota = async (directory) => {
  const file = join(directory, "cpu.max");
  const match = /^(\d+) (\d+)/.exec(await readFile(file, "utf8").catch(() => ""));
  return match === null ? undefined : { cpus: Number(match[1]) / Number(match[2]), file };
};

const legacyQuota: Quota = async (directory) => {
  const file = join(directory, "cpu.cfs_quota_us");
  const quota = Number(await readFile(file, "utf8").catch(() => "-1"));
  const period = Number(await readFile(join(directory, "cpu.cfs_period_us"), "utf8").catch(() => "0"));
  return quota > 0 && period > 0 ? { cpus: quota / period, file } : undefined;
};

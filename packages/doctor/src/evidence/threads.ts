import { readdir, readFile } from "node:fs/promises";

/** A thread of a process at one moment. */
export interface ThreadSample {
  tid: number;
  name: string;
  /** User and system time, in clock ticks. */
  ticks: number;
}

/** Samples the CPU time of all threads; undefined if the process has ended. */
export async function sampleThreads(
  pid: number,
  proc = "/proc",
): Promise<Map<number, ThreadSample> | undefined> {
  const tids = await readdir(`${proc}/${pid}/task`).catch(() => undefined);
  if (tids === undefined) return undefined;
  const samples = await Promise.all(
    tids.map(async (tid) => {
      const stat = await readFile(`${proc}/${pid}/task/${tid}/stat`, "utf8").catch(() => "");
      const open = stat.indexOf("(");
      const close = stat.lastIndexOf(")");
      if (open < 0 || close < 0) return [];
      const fields = stat.slice(close + 2).split(" ");
      const ticks = Number(fields[11]) + Number(fields[12]);
      return [{ tid: Number(tid), name: stat.slice(open + 1, close), ticks }];
    }),
  );
  return new Map(samples.flat().map((sample) => [sample.tid, sample]));
}

export interface ThreadLoad {
  tid: number;
  name: string;
  /** Percent of one core. */
  percent: number;
}

/** CPU time of each thread between two samples, busiest first. */
export function threadLoads(
  before: ReadonlyMap<number, ThreadSample>,
  after: ReadonlyMap<number, ThreadSample>,
  seconds: number,
  ticksPerSecond = 100,
): ThreadLoad[] {
  return [...after.values()]
    .flatMap(({ tid, name, ticks }) => {
      const earlier = before.get(tid);
      return earlier === undefined
        ? []
        : [{ tid, name, percent: ((ticks - earlier.ticks) / ticksPerSecond / seconds) * 100 }];
    })
    .sort((a, b) => b.percent - a.percent);
}

/** vCPU threads run the guest; all others do its I/O or manage it. */
export function isVcpu(name: string): boolean {
  return /^CPU \d+\/(KVM|TCG|HVF)/.test(name);
}

import { type CpuTimes, type CpuUse, cpuBetween, cpuTimes } from "../host/proc.ts";
import type { Run } from "../results/schema.ts";

type Cpu = Run["cpu"]["client"];

interface Sample {
  /** Milliseconds of the process's clock. */
  at: number;
  client: CpuTimes[];
  osds: CpuTimes[];
}

/** Milliseconds between readings of CPU times; reading all threads takes much less than a millisecond. */
const INTERVAL_MS = 200;

/**
 * Reads the CPU times of a client and the OSDs while fio runs, usually in a guest. The host sees only fio's end, so the
 * window of steady load is chosen afterwards, relative to the end.
 */
export class CpuSampler implements Disposable {
  readonly #client: readonly number[];
  readonly #osds: number[];
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param client processes of the client */
  constructor(client: number | readonly number[], osds: number[]) {
    this.#client = typeof client === "number" ? [client] : client;
    this.#osds = osds;
    this.#timer = setInterval(() => this.#sample(), INTERVAL_MS);
    this.#sample();
  }

  /**
   * CPU seconds of the processes during fio's measured `seconds`, scaled from a window within them. Below two seconds,
   * fio's whole run counts. The OSDs' CPU is undefined if they are not visible.
   */
  during(seconds: number): Run["cpu"] | undefined {
    this.#sample();
    const { first, last, scale } = this.#window(seconds * 1000) ?? {};
    if (!first || !last || !scale) return undefined;
    const used = (before: CpuTimes[], after: CpuTimes[]): Cpu =>
      after.map((times, index) => scaled(cpuBetween(before[index]!, times), scale)).reduce(sum);
    const client = used(first.client, last.client);
    return this.#osds.length === 0 ? { client } : { client, osds: used(first.osds, last.osds) };
  }

  #window(measuredMs: number): { first: Sample; last: Sample; scale: number } | undefined {
    const [start, stop] = [this.#samples[0], this.#samples.at(-1)];
    if (!start || !stop || stop.at <= start.at) return undefined;
    // No window fits into a short job: uses everything since before fio's start.
    if (measuredMs < 4 * TEARDOWN_MS) return { first: start, last: stop, scale: 1 };
    const end = stop.at - TEARDOWN_MS;
    const first = this.#samples.find(({ at }) => at >= end - (measuredMs - TEARDOWN_MS));
    const last = this.#samples.findLast(({ at }) => at <= end);
    if (!first || !last || last.at <= first.at) return undefined;
    return { first, last, scale: measuredMs / (last.at - first.at) };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    // fio's own threads, and librbd's in it, end before fio does.
    const earlier = this.#samples.at(-1);
    const client = timesOf(this.#client, earlier?.client);
    const osds = timesOf(this.#osds, earlier?.osds);
    if (client.length === this.#client.length && osds.length === this.#osds.length) {
      this.#samples.push({ at: performance.now(), client, osds });
    }
  }
}

/** Seconds of fio's exit and reply to the host, without load. */
const TEARDOWN_MS = 500;

/** Without ended processes. */
function timesOf(pids: readonly number[], earlier: CpuTimes[] | undefined): CpuTimes[] {
  return pids.map((pid, index) => cpuTimes(pid, earlier?.[index])).filter((times) => times !== undefined);
}

function scaled({ user, system, threads }: CpuUse, scale: number): Cpu {
  const perThread = [...threads].map(([name, seconds]) => [name, seconds * scale] as const);
  return { user: user * scale, system: system * scale, threads: Object.fromEntries(perThread) };
}

function sum(left: Cpu, right: Cpu): Cpu {
  const threads = { ...left.threads };
  for (const [name, seconds] of Object.entries(right.threads)) threads[name] = (threads[name] ?? 0) + seconds;
  return { user: left.user + right.user, system: left.system + right.system, threads };
}

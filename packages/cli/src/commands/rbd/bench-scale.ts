import { type Image, type LoadOptions, type LoadResult, WorkersLoad } from "@siphon/rbd";
import { plainTable } from "../../plain-table.ts";

/** The result of a load with this number of workers. */
interface Step {
  readonly workers: number;
  readonly opsPerSecond: number;
  /** CPU time of the whole process, in microseconds. */
  readonly cpu: number;
  /** In microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** 1, 2, 4, ... and `most` itself. */
function stepsTo(most: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(most)) }, (_, power) => 2 ** power);
  return [...powers, most];
}

/**
 * Runs the same load with more and more workers. Each worker keeps the same number of requests in flight.
 *
 * @param open opens the image with the given number of workers
 */
export async function runScale(
  most: number,
  load: LoadOptions,
  warmup: number,
  open: (workers: number, action: (image: Image) => Promise<Step>) => Promise<Step>,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const workers of stepsTo(most)) {
    const options = { ...load, depth: load.depth * workers };
    steps.push(
      await open(workers, async (image) => {
        const on = image.workers!;
        if (warmup > 0) await new WorkersLoad(on, { ...options, total: undefined, seconds: warmup }).run();
        const before = process.cpuUsage();
        const result = await new WorkersLoad(on, options).run();
        const { user, system } = process.cpuUsage(before);
        return stepOf(on.count, result, user + system);
      }),
    );
  }
  return steps;
}

function stepOf(workers: number, { requests, seconds, latency }: LoadResult, cpu: number): Step {
  const microseconds = (percentile: number) => latency.percentile(percentile) / 1000;
  return {
    ...{ workers, opsPerSecond: requests / seconds, cpu: cpu / requests },
    ...{ p50: microseconds(50), p99: microseconds(99) },
  };
}

export function scaleTable(steps: readonly Step[]): string {
  const [first] = steps;
  const rows = steps.map(({ workers, opsPerSecond, cpu, p50, p99 }) => [
    String(workers),
    Math.round(opsPerSecond).toString(),
    (opsPerSecond / first!.opsPerSecond).toFixed(2),
    cpu.toFixed(1),
    (cpu / first!.cpu).toFixed(2),
    Math.round(p50).toString(),
    Math.round(p99).toString(),
  ]);
  const head = ["workers", "ops/sec", "times one", "CPU us/op", "times one", "p50 us", "p99 us"];
  return `${plainTable(head, rows)}\n${verdict(steps)}\n`;
}

export function scaleJson(steps: readonly Step[], { type, size, depth, pattern }: LoadOptions) {
  return {
    ...{ type, io_size: size, io_threads_per_worker: depth, pattern, knee: kneeOf(steps) },
    steps: steps.map(({ workers, opsPerSecond, cpu, p50, p99 }) => ({
      ...{ workers, ops_per_sec: opsPerSecond, cpu_us_per_op: cpu, latency_us: { p50, p99 } },
    })),
  };
}

/** The largest number of workers at which each added worker brings at least half of the throughput of a single one. */
function kneeOf(steps: readonly Step[]): number {
  const one = steps[0]!.opsPerSecond / steps[0]!.workers;
  let knee = steps[0]!;
  for (const step of steps.slice(1)) {
    if ((step.opsPerSecond - knee.opsPerSecond) / (step.workers - knee.workers) < one / 2) break;
    knee = step;
  }
  return knee.workers;
}

function verdict(steps: readonly Step[]): string {
  const knee = kneeOf(steps);
  return knee === steps.at(-1)!.workers
    ? "each further worker brings at least half of what one alone does"
    : `beyond ${knee} ${knee === 1 ? "worker" : "workers"} each further one brings less than half of what one alone does`;
}

import { cpuTime, latency, rounded } from "../report/format.ts";
import type { Run } from "../results/schema.ts";
import { cpuPerIo } from "../results/summarize.ts";

/** A figure that runs are compared by. */
export interface Metric {
  title: string;
  /** Whether more of it is better. */
  moreIsBetter: boolean;
  of: (run: Run) => number;
  format: (value: number) => string;
}

export const metrics = {
  iops: { title: "IOPS", moreIsBetter: true, of: ({ iops }) => iops, format: rounded },
  latencyP99: {
    title: "p99 latency",
    moreIsBetter: false,
    of: (run) => run.latency.p99,
    format: latency,
  },
  cpuPerIo: {
    title: "CPU per I/O",
    moreIsBetter: false,
    of: ({ cpu, ios }) => cpuPerIo(cpu.client, ios),
    format: cpuTime,
  },
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

export const metricNames = Object.keys(metrics) as MetricName[];

import { cpuTime, latency, rounded } from "../report/format.ts";
import { type Figure, type FigureName, figureNames, figures } from "../results/figures.ts";

/** A figure that runs are compared by. */
export interface Metric extends Figure {
  title: string;
  format: (value: number) => string;
}

export const metrics: Record<FigureName, Metric> = {
  iops: { ...figures.iops, title: "IOPS", format: rounded },
  cpuPerIo: { ...figures.cpuPerIo, title: "CPU per I/O", format: cpuTime },
  latencyP50: { ...figures.latencyP50, title: "median latency", format: latency },
  latencyP99: { ...figures.latencyP99, title: "p99 latency", format: latency },
  latencyP999: { ...figures.latencyP999, title: "p99.9 latency", format: latency },
};

export type MetricName = FigureName;

export const metricNames = figureNames;

import type { Results } from "../../src/results/schema.ts";
import { summarize } from "../../src/results/summarize.ts";

/** The same results with one rung at `factor` times its speed, each I/O costing as much CPU as before. */
export function slowed(results: Results, name: string, factor: number): Results {
  const rungs = results.rungs.map((rung) => {
    if (rung.name !== name || rung.status !== "measured") return rung;
    const runs = rung.runs.map((run) => ({
      ...run,
      iops: run.iops * factor,
      ios: Math.round(run.ios * factor),
      latency: { ...run.latency, mean: run.latency.mean / factor, p99: run.latency.p99 / factor },
      cpu: {
        ...run.cpu,
        client: {
          ...run.cpu.client,
          user: run.cpu.client.user * factor,
          system: run.cpu.client.system * factor,
        },
      },
    }));
    return { ...rung, runs, summary: summarize(runs) };
  });
  return { ...results, rungs };
}

import { z } from "zod";
import { estimate, figureComparison, run, runHeader, summary, vmRun, workload } from "../results/schema.ts";
import { wayNames } from "./ways.ts";

/** One measurement of several VMs under load together: I/Os, CPU and IOPS are sums. */
const densityRun = run.extend({
  /** Bytes of memory per VM: QEMU and the process that serves its disk; shared pages count in part (PSS). */
  memory: z.number(),
  /** IOPS of the slowest VM, as a share of the mean. */
  slowest: z.number(),
});

const cellBase = {
  /** `siphon-one-4` */
  name: z.string(),
  title: z.string(),
  way: z.enum(wayNames),
  vms: z.int(),
};

const cell = z.discriminatedUnion("status", [
  z.object({
    ...cellBase,
    status: z.literal("measured"),
    /** The command line of one of its VMs, and its client's configuration. */
    command: z.string(),
    clientConf: z.string(),
    runs: z.array(densityRun).min(1),
    summary: summary.extend({ memory: estimate, slowest: estimate }),
    /** Against the first way, with as many VMs. */
    comparison: z
      .object({
        against: z.string(),
        iops: figureComparison,
        cpuPerIo: figureComparison,
        latencyP99: figureComparison,
      })
      .optional(),
    note: z.string().optional(),
  }),
  z.object({ ...cellBase, status: z.literal("failed"), reason: z.string() }),
  z.object({ ...cellBase, status: z.literal("skipped"), reason: z.string() }),
]);

/** The results.json of a density run. */
export const densitySchema = z.object({
  schema: z.literal(1),
  kind: z.literal("density"),
  ...runHeader,
  seed: z.int(),
  workload,
  vm: z.object({ cpus: z.int(), memory: z.int() }),
  ...vmRun,
  cells: z.array(cell),
});

export type DensityResults = z.infer<typeof densitySchema>;
export type DensityCell = z.infer<typeof cell>;
export type MeasuredDensity = Extract<DensityCell, { status: "measured" }>;
export type DensityRun = z.infer<typeof densityRun>;

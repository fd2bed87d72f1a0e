import { z } from "zod";

/** A figure with its 95 % confidence interval. */
export const estimate = z.object({ median: z.number(), low: z.number(), high: z.number() });

/** CPU seconds of one or more processes while the workload ran. */
const cpu = z.object({
  user: z.number(),
  system: z.number(),
  /** Seconds (user + system) by thread name. */
  threads: z.record(z.string(), z.number()),
});

/** Completion latency in microseconds. */
const latency = z.object({
  mean: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
});

/** One measurement of a point of a response curve. */
const curvePoint = z.object({
  /**
   * `read`, `write`, or shares of random reads and writes: `70/30`; `sequential-read` and so on for sequential loads.
   */
  mix: z.string(),
  /** Requests that fio keeps in flight. */
  depth: z.int(),
  seconds: z.number(),
  ios: z.int(),
  iops: z.number(),
  latency,
  /** CPU seconds of the client, and of all OSDs if they are visible. */
  cpu: z.number(),
  osds: z.number().optional(),
});

/** One repeat of the workload on one rung. */
export const run = z.object({
  repeat: z.int(),
  /** Its position in the order of all runs, from 0. */
  order: z.int(),
  started: z.iso.datetime(),
  /** Seconds that fio measured. */
  seconds: z.number(),
  ios: z.int(),
  iops: z.number(),
  bytesPerSecond: z.number(),
  latency,
  /**
   * CPU of the client (QEMU and the server of its disk, or fio without a VM) and of all OSDs together; undefined if not
   * visible.
   */
  cpu: z.object({ client: cpu, osds: cpu.optional() }),
  /** IOPS far (3.5 scaled MADs) from the rung's median: shown, not dropped. */
  outlier: z.boolean(),
  /** fio's own JSON, relative to the results file. */
  fio: z.string(),
  /**
   * The slices of time of a stopped VM, one value per slice: its round, its direction through the rungs (0 in order, 1
   * in reverse), seconds, I/Os, CPU seconds of client and OSDs, microseconds of a fixed piece of work next to it, and
   * the share of all processors used by others (foreign), including other machines on the same host (steal).
   */
  slices: z
    .object({
      round: z.array(z.int()),
      way: z.array(z.int()),
      seconds: z.array(z.number()),
      ios: z.array(z.number()),
      cpu: z.array(z.number()),
      osds: z.array(z.number()).optional(),
      calibration: z.array(z.number()),
      /** Nanoseconds that a word took from one processor to another and back beside the slice; 0 where that was not seen. */
      distance: z.array(z.number()).optional(),
      foreign: z.array(z.number()),
      steal: z.array(z.number()),
      /** The host's sensors, if available: the processors' mean frequency, ... */
      mhz: z.array(z.number()).optional(),
      /** ... its hottest sensor, ... */
      celsius: z.array(z.number()).optional(),
      /** ... thermal throttling events, ... */
      throttled: z.array(z.number()).optional(),
      /** ... and the share of new pages from another NUMA node. */
      remote: z.array(z.number()).optional(),
    })
    .optional(),
  /** The points of response curves that were measured in this repeat. */
  points: z.array(curvePoint).optional(),
  /** Why its VM was booted again in this block: it hung, it crashed, or its clock ran wrong. The run is that of the last boot. */
  bootedAgain: z.string().optional(),
});

const verdict = z.enum(["faster", "slower", "no significant difference", "too few repeats"]);

/** The summary of a rung's repeats. */
export const summary = z.object({
  iops: estimate,
  bytesPerSecond: estimate,
  /** Microseconds. */
  latencyMean: estimate,
  latencyP50: estimate,
  latencyP95: estimate,
  latencyP99: estimate,
  latencyP999: estimate,
  /** Microseconds of CPU (user + system) per I/O. */
  clientCpuPerIo: estimate,
  osdCpuPerIo: estimate.optional(),
  /** Percent of one core by the client's thread name, median over the repeats. */
  threads: z.record(z.string(), z.number()),
});

/** Throughput and latency by the number of requests in flight, for one mix of reads and writes. */
export const curve = z.object({
  mix: z.string(),
  /** By depth, rising. */
  points: z.array(
    z.object({
      depth: z.int(),
      iops: estimate,
      /** Microseconds. */
      latencyMean: estimate,
      latencyP50: estimate,
      latencyP99: estimate,
      clientCpuPerIo: estimate,
      osdCpuPerIo: estimate.optional(),
    }),
  ),
  /**
   * The depth with the highest ratio of IOPS to mean latency, and the number of repeats with this result; see `kneeOf`.
   */
  knee: z.object({ depth: z.int(), repeats: z.int(), of: z.int() }).optional(),
});

/** The ratio of a figure to another rung's, paired by repeat. */
export const figureComparison = z.object({
  ratio: estimate,
  verdict: z.enum(["better", "worse", "no significant difference", "too few repeats"]),
  /** Probability of such a difference by chance, corrected for all compared rungs. */
  probability: z.number().optional(),
});

/** A rung compared with its base rung: IOPS and costs. */
const comparison = z.object({
  against: z.string(),
  ratio: estimate,
  verdict,
  probability: z.number().optional(),
  /** Undefined in results of older versions. */
  costs: z
    .object({
      cpuPerIo: figureComparison,
      latencyP50: figureComparison,
      latencyP99: figureComparison,
      latencyP999: figureComparison,
    })
    .partial()
    .optional(),
});

const rungBase = {
  name: z.string(),
  title: z.string(),
  /** Why this setting matters, in a sentence. */
  why: z.string(),
  /** The study's own figure for this step, where it has one. */
  study: z.object({ label: z.string(), iops: z.number() }).optional(),
};

const rung = z.discriminatedUnion("status", [
  z.object({
    ...rungBase,
    status: z.literal("measured"),
    /** The exact command line (with its environment) and client configuration, for copying. */
    command: z.string(),
    clientConf: z.string(),
    runs: z.array(run).min(1),
    summary,
    comparison: comparison.optional(),
    curves: z.array(curve).optional(),
    /** A profile of QEMU in one more run, relative to the results file. */
    profile: z.string().optional(),
    /** Set when some repeats of the rung could not be measured. */
    note: z.string().optional(),
  }),
  z.object({ ...rungBase, status: z.literal("skipped"), reason: z.string() }),
  z.object({ ...rungBase, status: z.literal("failed"), reason: z.string() }),
]);

/** A step of the study's bigger test: the file on XFS. */
const biggerStep = z.object({
  /** The rung of its VM, if it is not the first rung of the test. */
  rung: z.string().optional(),
  name: z.string(),
  title: z.string(),
  run,
  study: z
    .object({ label: z.string(), iops: z.number().optional(), bytesPerSecond: z.number().optional() })
    .optional(),
});

export const setting = z.object({ name: z.string(), value: z.string() });

/** The load of a run, the same for all. */
export const workload = z.object({
  rw: z.string(),
  /** Bytes. */
  blockSize: z.int(),
  ioDepth: z.int(),
  /** Seconds per run, and seconds of warm-up before it. */
  seconds: z.number(),
  warmupSeconds: z.number(),
  /** Runs of each rung or cell; where a run is made of slices, blocks. */
  repeats: z.int(),
  /** Seconds of a slice; undefined for runs without slices, as in results of older versions. */
  slice: z.number().optional(),
  /** Bytes of the image under load. */
  size: z.int(),
});

/** The fields of every results.json. */
export const runHeader = {
  siphon: z.string(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  /** False if the run was cut short; the measurements until then are present. */
  complete: z.boolean(),
  /** Why it is incomplete, and warnings for the reader. */
  notes: z.array(z.string()),
};

/** The fields of runs in VMs. */
export const vmRun = {
  /** Facts for the report: machine, versions, acceleration, guest and cluster, in this order. */
  facts: z.object({
    machine: z.array(setting),
    versions: z.array(setting),
    guest: z.array(setting),
    cluster: z.array(setting),
  }),
  accelerator: z.object({ name: z.enum(["kvm", "tcg"]), reason: z.string() }),
};

/** The whole of results.json. */
export const resultsSchema = z.object({
  schema: z.literal(1),
  ...runHeader,
  mode: z.enum(["cumulative", "published", "releases", "vm"]),
  seed: z.int(),
  workload,
  /** The roots of programs, from the options --ceph, --qemu and --releases. */
  roots: z
    .object({ ceph: z.string().optional(), qemu: z.string().optional(), releases: z.string().optional() })
    .optional(),
  ...vmRun,
  rungs: z.array(rung),
  /** The bigger test, if made: its first rung, and the steps on all its rungs. */
  bigger: z.object({ rung: z.string(), steps: z.array(biggerStep) }).optional(),
});

export type Results = z.infer<typeof resultsSchema>;
export type RungResult = z.infer<typeof rung>;
export type MeasuredRung = Extract<RungResult, { status: "measured" }>;
export type Run = z.infer<typeof run>;
export type CurvePoint = z.infer<typeof curvePoint>;
export type Curve = z.infer<typeof curve>;
export type Summary = z.infer<typeof summary>;
export type Estimate = z.infer<typeof estimate>;
export type Comparison = z.infer<typeof comparison>;
export type FigureComparison = z.infer<typeof figureComparison>;
export type Verdict = z.infer<typeof verdict>;
export type BiggerStep = z.infer<typeof biggerStep>;
/** A name and a value, as the report shows them. */
export type Fact = z.infer<typeof setting>;

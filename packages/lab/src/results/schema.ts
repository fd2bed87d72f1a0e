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
  /** `read`, `write`, or shares of random reads and writes: `70/30`; `sequential-read` and the like where the load itself is sequential. */
  mix: z.string(),
  /** Requests that fio keeps in flight. */
  depth: z.int(),
  seconds: z.number(),
  ios: z.int(),
  iops: z.number(),
  latency,
  /** CPU seconds of the client, and of all OSDs where they can be seen. */
  cpu: z.number(),
  osds: z.number().optional(),
});

/** One repeat of the workload on one rung. */
export const run = z.object({
  repeat: z.int(),
  /** Its place in the order in which all runs were made, from 0. */
  order: z.int(),
  started: z.iso.datetime(),
  /** Seconds that fio measured. */
  seconds: z.number(),
  ios: z.int(),
  iops: z.number(),
  bytesPerSecond: z.number(),
  latency,
  /**
   * CPU of the client (QEMU and whatever serves its disk, or fio where there is no VM) and of all OSDs
   * together; what could not be seen is missing.
   */
  cpu: z.object({ client: cpu, osds: cpu.optional() }),
  /** IOPS far (3.5 scaled MADs) from the rung's median: shown, not dropped. */
  outlier: z.boolean(),
  /** fio's own JSON, relative to the results file. */
  fio: z.string(),
  /**
   * The slices of time that a VM which stood was measured in, one value a slice: its round, which way through the
   * rungs it was on (0 there, 1 back), seconds, I/Os, CPU seconds of client and OSDs, microseconds of a fixed piece of work beside it, and
   * the share of all processors that went to others (foreign), of it to other machines on the same host (steal).
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
      /** The host's own sensors, where it shows them: the processors' mean frequency, ... */
      mhz: z.array(z.number()).optional(),
      /** ... its hottest sensor, ... */
      celsius: z.array(z.number()).optional(),
      /** ... how often processors were slowed down for heat, ... */
      throttled: z.array(z.number()).optional(),
      /** ... and the share of new pages that came from another NUMA node than the processor's. */
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

/** How throughput and latency answer to the number of requests in flight, for one mix of reads and writes. */
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
  /** The depth with the most IOPS for its mean latency, and in how many of the repeats it was that; see `kneeOf`. */
  knee: z.object({ depth: z.int(), repeats: z.int(), of: z.int() }).optional(),
});

/** A figure against that of another rung: the ratio, paired by repeat. */
export const figureComparison = z.object({
  ratio: estimate,
  verdict: z.enum(["better", "worse", "no significant difference", "too few repeats"]),
  /** Probability of so great a difference by chance, corrected for all rungs that are compared. */
  probability: z.number().optional(),
});

/** A rung against the one it builds on: IOPS, and what it costs. */
const comparison = z.object({
  against: z.string(),
  ratio: estimate,
  verdict,
  probability: z.number().optional(),
  /** Missing in results of a siphon before there were such verdicts. */
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
    /** The exact command line (with its environment) and client configuration, fit to be copied. */
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
  /** Whose VM it was made in, where that is not the first rung of the test. */
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
  /** Seconds a run; and before it, not counted, of warm-up. */
  seconds: z.number(),
  warmupSeconds: z.number(),
  /** Runs of each rung or cell; where a run is made of slices, blocks. */
  repeats: z.int(),
  /** Seconds of a slice; missing where a run was made at one go, as those of a siphon before there were slices. */
  slice: z.number().optional(),
  /** Bytes of the image that are read and written. */
  size: z.int(),
});

/** The fields that every results.json has, whichever command wrote it. */
export const runHeader = {
  siphon: z.string(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  /** False when the run was cut short; what was measured until then is there. */
  complete: z.boolean(),
  /** Why it is not complete, or what the reader must know to read the figures right. */
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
  /** The roots that programs came from, as the options --ceph, --qemu and --releases named them. */
  roots: z
    .object({ ceph: z.string().optional(), qemu: z.string().optional(), releases: z.string().optional() })
    .optional(),
  ...vmRun,
  rungs: z.array(rung),
  /** The study's bigger test, when it was made: its first rung, and the steps on all its rungs. */
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

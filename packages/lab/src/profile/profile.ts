import { z } from "zod";

/** A sampled stack: function names, outermost first. */
const stack = z.object({
  frames: z.array(z.string()),
  samples: z.int(),
  /** Number of samples on a CPU or ready; the others were waiting. */
  running: z.int(),
});

const thread = z.object({
  tid: z.int(),
  name: z.string(),
  /** Percent of one core that it used just before and after the sampling. */
  busy: z.number(),
  /** Percent of that time in which it was ready but no core was free. */
  delayed: z.number(),
});

/** Cost of sampling for the process. */
const cost = z.object({
  /** Duration of one sample of all threads in milliseconds. */
  sampleMs: z.object({ median: z.number(), max: z.number() }),
  /** Milliseconds for which a sample stopped a thread (upper bound of the mean); 0 if nothing is stopped. */
  stopMs: z.number(),
  /** Milliseconds for which all threads were stopped at the start, while the backend read symbols. */
  attachMs: z.number(),
  /** Percent of one core that the process used while it was sampled, and just before and after. */
  busySampled: z.number(),
  busyUnsampled: z.number(),
});

/** A program or library whose functions have no names, because its debug symbols are missing. */
const unnamed = z.object({
  file: z.string(),
  buildId: z.string().optional(),
  /** Percent of all frames that are in it and have no name. */
  share: z.number(),
  /** Its package with the version, and the package with the symbols. */
  package: z.object({ name: z.string(), version: z.string(), symbols: z.string() }).optional(),
});

export const profileSchema = z.object({
  schema: z.literal(1),
  process: z.object({ pid: z.int(), name: z.string() }),
  started: z.iso.datetime(),
  /** Seconds of sampling, and the target interval. */
  seconds: z.number(),
  intervalMs: z.number(),
  backend: z.enum(["eu-stack", "gdb", "perf"]),
  /** Number of samples of all threads. */
  rounds: z.int(),
  /** Why sampling ended early. */
  cutShort: z.enum(["the process ended", "interrupted"]).optional(),
  cores: z.int(),
  threads: z.array(thread),
  /** The stacks of all threads that share a name. */
  groups: z.array(z.object({ name: z.string(), samples: z.int(), running: z.int(), stacks: z.array(stack) })),
  cost,
  unnamed: z.array(unnamed),
});

/** A wallclock profile: the stacks of a process's threads, on a CPU or not, at regular intervals. */
export type Profile = z.infer<typeof profileSchema>;
export type ProfileGroup = Profile["groups"][number];
export type ProfileStack = z.infer<typeof stack>;
export type ProfileThread = z.infer<typeof thread>;
export type ProfileCost = z.infer<typeof cost>;
export type UnnamedModule = z.infer<typeof unnamed>;
export type BackendName = Profile["backend"];

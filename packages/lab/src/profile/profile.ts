import { z } from "zod";

/** A stack that samples found: function names, from where the thread began to where it was. */
const stack = z.object({
  frames: z.array(z.string()),
  samples: z.int(),
  /** How many of the samples found the thread on a CPU or ready for one; the others, waiting. */
  running: z.int(),
});

const thread = z.object({
  tid: z.int(),
  name: z.string(),
  /** Percent of one core that it used just before and after the sampling. */
  busy: z.number(),
  /** Percent of that time in which it was ready and no core was free. */
  delayed: z.number(),
});

/** Cost of sampling for the process. */
const cost = z.object({
  /** Milliseconds that one sample of all threads took. */
  sampleMs: z.object({ median: z.number(), max: z.number() }),
  /** Milliseconds that a thread stood still for one sample, at most on average; 0 when nothing is stopped. */
  stopMs: z.number(),
  /** Milliseconds that all threads stood still once at the start, while the backend read symbols. */
  attachMs: z.number(),
  /** Percent of one core that the process used while it was sampled, and just before and after. */
  busySampled: z.number(),
  busyUnsampled: z.number(),
});

/** A program or library whose functions have no names, since its debug symbols are not here. */
const unnamed = z.object({
  file: z.string(),
  buildId: z.string().optional(),
  /** Percent of all frames that lie in it and have no name. */
  share: z.number(),
  /** The package that it belongs to, with its version, and the one with the symbols. */
  package: z.object({ name: z.string(), version: z.string(), symbols: z.string() }).optional(),
});

export const profileSchema = z.object({
  schema: z.literal(1),
  process: z.object({ pid: z.int(), name: z.string() }),
  started: z.iso.datetime(),
  /** Seconds of sampling, and the time aimed at between two samples. */
  seconds: z.number(),
  intervalMs: z.number(),
  backend: z.enum(["eu-stack", "gdb", "perf"]),
  /** How often all threads were looked at. */
  rounds: z.int(),
  /** Why sampling ended before its time. */
  cutShort: z.enum(["the process ended", "interrupted"]).optional(),
  cores: z.int(),
  threads: z.array(thread),
  /** The stacks of all threads that share a name. */
  groups: z.array(z.object({ name: z.string(), samples: z.int(), running: z.int(), stacks: z.array(stack) })),
  cost,
  unnamed: z.array(unnamed),
});

/** A wallclock profile: where the threads of a process were, on a CPU or not, at regular moments. */
export type Profile = z.infer<typeof profileSchema>;
export type ProfileGroup = Profile["groups"][number];
export type ProfileStack = z.infer<typeof stack>;
export type ProfileThread = z.infer<typeof thread>;
export type ProfileCost = z.infer<typeof cost>;
export type UnnamedModule = z.infer<typeof unnamed>;
export type BackendName = Profile["backend"];

import { z } from "zod";
import type { FioJob } from "../fio/command.ts";
import { sizeField as size } from "../ladder/size.ts";
import type { Results } from "../results/schema.ts";

/** The load of a measurement, and the number of repeats; everything has a default but size and seed. */
export const loadFields = {
  repeat: z.int().min(1).max(1000).default(5),
  /** Measured seconds in each repeat, and seconds of warm-up with the same load. */
  seconds: z.number().min(1).max(3600).default(2),
  warmup: z.number().min(0).max(600).default(1),
  bs: size.default(16 * 1024),
  iodepth: z.int().min(1).max(4096).default(128),
  rw: z.enum(["randread", "randwrite", "read", "write", "randrw", "rw"]).default("randread"),
  /** Bytes of the image that the load covers; default: scaled to the machine's memory. */
  size: size.optional(),
  /** Seed of the order of runs; default: random, recorded in the results. */
  seed: z.int().min(0).max(0xffff_ffff).optional(),
};

/** An existing cluster, the pool and the user. */
export const existingClusterFields = {
  conf: z.string().default("/etc/ceph/ceph.conf"),
  user: z.string().default("libvirt"),
  pool: z.string().default("libvirt-pool"),
  namespace: z.string().optional(),
};

/** The load, completed. */
export type LoadOptions = z.output<z.ZodObject<typeof loadFields>> & { seed: number; size: number };

/** A random seed. */
export function drawSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** The load as recorded in results. */
export function workloadOf(options: LoadOptions): Results["workload"] {
  const { rw, bs, iodepth, seconds, warmup, repeat, size } = options;
  return { rw, blockSize: bs, ioDepth: iodepth, seconds, warmupSeconds: warmup, repeats: repeat, size };
}

/** A run's job without its target: the same offsets for all items of a repeat, different ones in the next. */
export function jobOf(
  options: LoadOptions,
  repeat: number,
): Omit<FioJob, "filename" | "engine" | "nbd" | "image"> {
  const { rw, bs, iodepth, size, seconds, warmup, seed } = options;
  const load = { rw, blockSize: bs, ioDepth: iodepth, size, seconds, warmupSeconds: warmup };
  return { ...load, seed: (seed + repeat) % 2 ** 32 };
}

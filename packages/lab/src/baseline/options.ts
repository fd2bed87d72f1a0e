import { freemem } from "node:os";
import { z } from "zod";
import { clusterFields } from "../cluster/spec.ts";
import { LabError } from "../errors.ts";
import { problemsOf, readYaml } from "../input.ts";
import { curveFields, curveProblem } from "../load/curve-options.ts";
import { drawSeed, existingClusterFields, type LoadOptions, loadFields } from "../load/options.ts";
import { wireNames } from "./wires.ts";

export const engineNames = ["librbd", "krbd", "krbd-io-uring", "siphon", "siphon-nbd"] as const;
export type EngineName = (typeof engineNames)[number];

/** Options of a baseline, from a plan file or the command line; everything has a default. */
const baselineFields = z.strictObject({
  ...loadFields,
  ...curveFields,
  /** Sizes of the local clusters, in OSDs. */
  osds: unique(z.int().min(1).max(64)).default([1, 3]),
  /** Copies of each object; default 3, at most one per OSD. */
  replicas: z.int().min(1).max(10).optional(),
  store: z.enum(["memstore", "bluestore"]).default("memstore"),
  /** Type of the clusters' keys; by default the one that their release makes. */
  keyType: clusterFields.shape.keyType,
  engines: unique(z.enum(engineNames)).default(["librbd", "krbd", "siphon"]),
  /** Default: `v2-crc` on local clusters, `own` on an existing one. */
  wire: unique(z.enum(wireNames)).optional(),
  /** Accelerator of the guest in which kernel RBD is measured if this host's kernel has no RBD. */
  accel: z.enum(["auto", "kvm", "tcg"]).default("auto"),
  /** Make one more run per cell, and sample the client's stacks in it. */
  profile: z.boolean().default(false),
  /** Root of clusters, fio and Ceph's programs, by name or directory; default: this host. */
  ceph: z.string().min(1).optional(),
  existing: z.strictObject(existingClusterFields).optional(),
});

export type BaselineOptionsInput = z.input<typeof baselineFields>;
export type BaselineOptions = z.output<typeof baselineFields> &
  LoadOptions & { wire: NonNullable<z.output<typeof baselineFields>["wire"]> };

/** A first look: two repeats of two seconds. */
export const quickBaseline: BaselineOptionsInput = { repeat: 2, seconds: 2 };

/** Checks and completes options; throws SIPHON_USAGE with one sentence. */
export function parseBaselineOptions(input: BaselineOptionsInput): BaselineOptions {
  const parsed = baselineFields.safeParse(input);
  if (!parsed.success) throw usage(`these options make no sense: ${problemsOf(parsed.error)}`);
  const { data } = parsed;
  const wire = data.wire ?? [data.existing ? ("own" as const) : ("v2-crc" as const)];
  if (!data.existing && wire.includes("own")) {
    throw usage("the wire “own” is that of an existing cluster, and none is named with --conf");
  }
  if (data.existing && wire.includes("v1-none")) {
    throw usage("an existing cluster keeps its authentication: its wire can be own, v2-crc or v2-secure");
  }
  const problem = curveProblem(data);
  if (problem !== undefined) throw usage(problem);
  const { seed = drawSeed(), size = defaultSize(data.osds, data.replicas, wire.length) } = data;
  return { ...data, wire, seed, size };
}

/** Reads a plan, a YAML file with the same options; throws SIPHON_NOT_FOUND or SIPHON_USAGE. */
export async function readBaselinePlan(path: string): Promise<BaselineOptionsInput> {
  const plan = await readYaml(path, "plan");
  const parsed = baselineFields.safeParse(plan);
  if (!parsed.success) throw usage(`the plan ${path} makes no sense: ${problemsOf(parsed.error)}`);
  return plan as BaselineOptionsInput;
}

/** Number of copies for a number of OSDs. */
export function replicasOf(osds: number, replicas = 3): number {
  return Math.min(replicas, osds);
}

/**
 * An image size, from 128 MiB to 1 GiB, with which all clusters together use a quarter of the free memory (memstore
 * needs twice that).
 */
function defaultSize(osds: number[], replicas: number | undefined, wires: number): number {
  const copies = osds.reduce((sum, each) => sum + replicasOf(each, replicas), 0) * wires;
  const step = 128 * 2 ** 20;
  return Math.min(8, Math.max(1, Math.floor(freemem() / 4 / copies / step))) * step;
}

/** A list without duplicates. */
function unique<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .min(1)
    .refine((all) => new Set(all).size === all.length, "something is named twice");
}

function usage(message: string): LabError {
  return new LabError("SIPHON_USAGE", message);
}

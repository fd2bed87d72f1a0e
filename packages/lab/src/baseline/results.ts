import { z } from "zod";
import { curve, figureComparison, run, runHeader, setting, summary, workload } from "../results/schema.ts";
import { engineNames } from "./options.ts";
import { wireNames } from "./wires.ts";

/** A ratio of two figures, paired by repeat, and whether it is for the better. */
const change = figureComparison.omit({ probability: true });

const cellBase = {
  /** `3-osd-v2-crc-librbd` */
  name: z.string(),
  /** The cluster's name and size; no size for an existing one. */
  cluster: z.string(),
  osds: z.int().optional(),
  wire: z.enum(wireNames),
  engine: z.enum(engineNames),
};

const cell = z.discriminatedUnion("status", [
  z.object({
    ...cellBase,
    status: z.literal("measured"),
    /** Where fio and the client ran; kernel RBD may run in a guest. */
    place: z.enum(["host", "guest"]),
    /** Description of the CPU that counts as the client's. */
    clientCpu: z.string(),
    /** The mode of the client's connections according to the OSDs; undefined if they could not be asked. */
    mode: z.enum(["crc", "secure"]).optional(),
    /** The exact command line and client configuration; never a key. */
    command: z.string(),
    clientConf: z.string(),
    runs: z.array(run).min(1),
    summary,
    curves: z.array(curve).optional(),
    /** Set when some repeats could not be measured. */
    note: z.string().optional(),
    /** A profile of the client in one more run, relative to the results file. */
    profile: z.string().optional(),
  }),
  z.object({ ...cellBase, status: z.literal("skipped"), reason: z.string() }),
  z.object({ ...cellBase, status: z.literal("failed"), reason: z.string() }),
]);

/** The results.json of a baseline. */
export const baselineSchema = z.object({
  schema: z.literal(1),
  kind: z.literal("baseline"),
  ...runHeader,
  seed: z.int(),
  workload,
  facts: z.object({
    machine: z.array(setting),
    versions: z.array(setting),
    /** Settings of the guest, if kernel RBD ran in one. */
    guest: z.array(setting),
  }),
  clusters: z.array(z.object({ name: z.string(), title: z.string(), facts: z.array(setting) })),
  cells: z.array(cell),
  /** Cells that differ in one thing: the wire, the engine, or the cluster's size. */
  comparisons: z.array(
    z.object({
      by: z.enum(["wire", "engine", "cluster"]),
      cell: z.string(),
      against: z.string(),
      iops: change,
      clientCpuPerIo: change,
      osdCpuPerIo: change.optional(),
    }),
  ),
});

export type BaselineResults = z.infer<typeof baselineSchema>;
export type BaselineCell = BaselineResults["cells"][number];
export type MeasuredCell = Extract<BaselineCell, { status: "measured" }>;
export type BaselineComparison = BaselineResults["comparisons"][number];

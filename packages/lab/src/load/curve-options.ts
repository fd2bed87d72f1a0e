import { z } from "zod";
import type { FioJob } from "../fio/command.ts";
import type { LoadOptions } from "./options.ts";

/** The mix of a load: `read`, `write`, or reads/writes in percent. */
const mixName = z.union([
  z.enum(["read", "write"]),
  z
    .string()
    .regex(/^[1-9]\d?\/[1-9]\d?$/, "a mix is read, write, or like 70/30")
    .refine((text) => sharesOf(text).reduce((sum, share) => sum + share) === 100, "the shares make no 100 %"),
]);

/** The response curves to measure besides the load itself; default: none. */
export const curveFields = {
  /** Queue depths, the points of a curve. */
  depths: distinct(z.int().min(1).max(4096))
    .transform((all) => all.toSorted((a, b) => a - b))
    .optional(),
  /** A curve for each mix of random reads and writes; default: the load's own kind. */
  mix: distinct(mixName).optional(),
};

export type CurveOptions = z.output<z.ZodObject<typeof curveFields>>;

/** A point of a curve: a load with a mix and a depth. */
export interface CurveLoad {
  mix: string;
  depth: number;
  job: Pick<FioJob, "rw" | "readPercent" | "ioDepth">;
}

/** Why these options contradict each other; undefined if they do not. */
export function curveProblem({ depths, mix }: CurveOptions): string | undefined {
  return mix && !depths ? "a mix is that of response curves, and no --depths are given for them" : undefined;
}

/** The points that are measured, curve by curve. */
export function curveLoads({ depths = [], mix, rw }: CurveOptions & Pick<LoadOptions, "rw">): CurveLoad[] {
  const mixes = mix?.map(mixNamed) ?? [{ mix: ownMix[rw], job: { rw } }];
  return mixes.flatMap((each) =>
    depths.map((depth) => ({ mix: each.mix, depth, job: { ...each.job, ioDepth: depth } })),
  );
}

/** The mix of each kind of load. Mixes are random; sequential loads have separate names. */
const ownMix: Record<LoadOptions["rw"], string> = {
  randread: "read",
  randwrite: "write",
  randrw: "50/50",
  read: "sequential-read",
  write: "sequential-write",
  rw: "sequential-rw",
};

function mixNamed(mix: string): { mix: string; job: Pick<FioJob, "rw" | "readPercent"> } {
  if (mix === "read") return { mix, job: { rw: "randread" } };
  if (mix === "write") return { mix, job: { rw: "randwrite" } };
  return { mix, job: { rw: "randrw", readPercent: sharesOf(mix)[0]! } };
}

function sharesOf(mix: string): number[] {
  return mix.split("/").map(Number);
}

function distinct<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .min(1)
    .refine((all) => new Set(all).size === all.length, "something is named twice");
}

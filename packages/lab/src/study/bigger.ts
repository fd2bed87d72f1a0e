import type { BiggerStep } from "../results/schema.ts";
import { xfs } from "./figures.ts";

/**
 * The study's figure for a step of the bigger test (a file on XFS), by the kind of I/O; with encryption it published
 * only random reads.
 */
export function studyBiggerFigure(
  rw: "write" | "randread" | "randwrite",
  { encrypted = false } = {},
): BiggerStep["study"] {
  if (!encrypted) return figures[rw];
  return rw === "randread"
    ? { label: "16 KiB random reads, 2 TB, encrypted", ...xfs.randomReadSecure }
    : undefined;
}

const figures = {
  write: { label: "4 MiB sequential writes, 2 TB", ...xfs.sequentialWrite },
  randread: { label: "16 KiB random reads, 2 TB", ...xfs.randomRead },
  randwrite: { label: "16 KiB random writes, 2 TB", ...xfs.randomWrite },
};

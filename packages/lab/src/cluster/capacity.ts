import { statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { LabError } from "../errors.ts";
import type { ClusterSpec, RequestedCluster } from "./spec.ts";

const GIB = 1024 ** 3;
/** A smaller OSD counts as nearly full from its start. */
const SMALLEST = GIB;
const USUAL = 10 * GIB;

/**
 * Chooses the capacity of an OSD: 10 GiB, or less if the disk under `dir` (for memstore: half the free memory) has no
 * room for all of them. A requested capacity beyond the disk is refused with SIPHON_NO_SPACE, because writes would
 * fail.
 */
export async function withCapacity(spec: RequestedCluster, dir: string): Promise<ClusterSpec> {
  const { osds, store } = spec;
  if (store === "memstore") {
    const share = Math.floor(freemem() / 2 / osds);
    return { ...spec, osdSize: spec.osdSize ?? Math.max(SMALLEST, Math.min(USUAL, share)) };
  }
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const osdSize = spec.osdSize ?? Math.max(SMALLEST, Math.min(USUAL, Math.floor((free * 0.9) / osds)));
  if (osdSize * osds <= free) return { ...spec, osdSize };
  const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
  throw new LabError(
    "SIPHON_NO_SPACE",
    `${osds} OSDs of ${gib(osdSize)} do not fit on the disk of ${dir}: ${gib(free)} are free`,
    { hint: "free some space, take fewer OSDs, --store memstore, or another directory with --dir" },
  );
}

import type { Results } from "../results/schema.ts";
import { blockdevQ35, ladder, xfs } from "./figures.ts";

/** The study's figure for one rung: a short description, and its IOPS. */
export interface StudyFigure {
  label: string;
  iops: number;
}

const common: Record<string, StudyFigure> = {
  ide: { label: "the default case", iops: ladder.ide },
  "virtio-blk": { label: "virtio-blk-pci", iops: ladder.virtioBlk },
  iothread: { label: "a separate I/O thread", iops: ladder.iothread },
  "cache-none": { label: "librbd's drive cache off", iops: ladder.cacheNone },
};

const lastStep: StudyFigure = {
  label: "-blockdev and q35 together, on the 2 TB file",
  iops: blockdevQ35.blockdev.randomRead,
};

/**
 * The study's published steps are not cumulative: tcmalloc was measured without the I/O thread, which returned with the
 * newer librbd. If a rung differs from its step, the label says how.
 */
const byMode: Record<Results["mode"], Record<string, StudyFigure>> = {
  releases: {},
  vm: {},
  published: {
    ...common,
    tcmalloc: { label: "tcmalloc", iops: ladder.tcmalloc },
    "new-librbd": { label: "newer librbd", iops: ladder.newLibrbd },
    "blockdev-q35": lastStep,
  },
  cumulative: {
    ...common,
    tcmalloc: { label: "tcmalloc, without the I/O thread", iops: ladder.tcmalloc },
    "new-librbd": { label: "newer librbd and aio=native, the I/O thread back", iops: ladder.newLibrbd },
    q35: lastStep,
    secure: { label: "messenger v2 in secure mode, on the 2 TB file", iops: xfs.randomReadSecure.iops },
  },
};

/** The study's figure for a rung of the ladder, if any. */
export function studyFigure(mode: Results["mode"], rung: string): StudyFigure | undefined {
  return Object.hasOwn(byMode[mode], rung) ? byMode[mode][rung] : undefined;
}

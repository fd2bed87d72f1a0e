import { freemem } from "node:os";
import { z } from "zod";
import { clusterFields } from "../cluster/spec.ts";
import { LabError } from "../errors.ts";
import { problemsOf, readYaml } from "../input.ts";
import { curveFields, curveProblem } from "../load/curve-options.ts";
import { drawSeed, existingClusterFields, loadFields } from "../load/options.ts";
import { checkRungNames, type LadderMode, rungsOf } from "../rungs/plan.ts";
import { formatSize, sizeField as size } from "./size.ts";

/** `5%`, or 0.05. */
const share = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)? ?%$/)
      .transform((text) => Number.parseFloat(text) / 100),
  ])
  .pipe(z.number().positive().max(1));

/** `10m`, `90s`, or 600. */
const seconds = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?[smh]?$/)
      .transform(inSeconds),
  ])
  .pipe(z.number().positive());

function inSeconds(text: string): number {
  return Number.parseFloat(text) * ({ m: 60, h: 3600 }[text.at(-1)!] ?? 1);
}

/** The ladder's options, from a plan file or the command line; each has a default. */
const ladderFields = z.strictObject({
  mode: z.enum(["cumulative", "published"]).default("cumulative"),
  /** Names of the rungs to climb; default: all of the mode. */
  rungs: z.array(z.string()).min(1).optional(),
  ...loadFields,
  ...curveFields,
  /** Number of blocks; in each, every rung's VM boots once. Default: `MOST_BLOCKS`, or as many as `time` allows. */
  repeat: loadFields.repeat.unwrap().optional(),
  /** Every boot pays for it, and what a block measures comes long after: the emulator has translated the load by then. */
  warmup: loadFields.warmup.unwrap().default(0.2),
  /**
   * Seconds of a slice; about `seconds` are measured in each block. What disturbs a slice often lasts for half a second: of
   * short slices, which are more for the same time, it hits a smaller share.
   */
  slice: z.number().min(0.1).max(60).default(0.3),
  /**
   * Continue with blocks, regardless of `repeat`, until the 95 % intervals of all ratios of IOPS and CPU per I/O are
   * within this share, or `time` has passed.
   */
  until: share.optional(),
  /** Seconds for as many blocks as are needed, or as `repeat` does not say. */
  time: seconds.default(600),
  /** Climb each rung twice: a valid method gives equal results. */
  twice: z.boolean().default(false),
  accel: z.enum(["auto", "kvm", "tcg"]).default("auto"),
  /** Root of the cluster, fio and Ceph's programs, by name or directory; default: this host. */
  ceph: z.string().min(1).optional(),
  /** Root of QEMU. */
  qemu: z.string().min(1).optional(),
  /** Climb releases of librbd instead of settings: names of roots, in this order. */
  releases: z
    .array(z.string().min(1))
    .min(1)
    .refine((all) => new Set(all).size === all.length, "a release is named twice")
    .optional(),
  /** Directory of another librbd build, for the new-librbd rung. */
  librbd: z.string().optional(),
  /** A qcow2 or raw file to boot the VM from, imported into RBD as in the study; default: the small guest. */
  guestImage: z.string().optional(),
  /** Make the study's bigger test (XFS) on the last rungs of librbd and siphon, unencrypted and encrypted. */
  bigger: z.boolean().optional(),
  /** After the repeats, make one more run of each rung with sampling of QEMU's stacks. */
  profile: z.boolean().default(false),
  vm: z
    .strictObject({
      cpus: z.int().min(1).max(256).default(2),
      /** Bytes. */
      memory: size.default(512 * 2 ** 20),
    })
    .prefault({}),
  /** The local cluster; the defaults make the client the bottleneck: one OSD that keeps its data in memory. */
  cluster: z
    .strictObject({
      osds: z.int().min(1).default(1),
      replicas: z.int().min(1).optional(),
      store: z.enum(["bluestore", "memstore"]).default("memstore"),
      /** Published mode replays the study's: auth none over messenger v1; otherwise cephx over v2. */
      auth: z.enum(["none", "cephx"]).optional(),
      keyType: clusterFields.shape.keyType,
      msgr: z.enum(["v1", "v2", "both"]).optional(),
      osdMemoryTarget: size.optional(),
      settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    })
    .prefault({}),
  /** An existing cluster instead of a local one. */
  existing: z
    .strictObject({
      ...existingClusterFields,
      /** An image to overwrite, which needs `yesOverwrite`; default: a new image siphon-*. */
      image: z.string().optional(),
      yesOverwrite: z.boolean().default(false),
    })
    .optional(),
});

export type LadderOptionsInput = z.input<typeof ladderFields>;
export type LadderOptions = z.output<typeof ladderFields> & {
  repeat: number;
  /** Whether there are fewer blocks than `repeat` if those would take longer than `time`. */
  inTime: boolean;
  seed: number;
  size: number;
  bigger: boolean;
};

/** Unless told otherwise. On a machine of two cores they take less than ten minutes for all rungs. */
const MOST_BLOCKS = 7;

/** The short form: fewer rungs, three blocks of two seconds, no bigger test. */
export function quickOptions(mode: LadderMode = "cumulative"): LadderOptionsInput {
  const few = ["ide", "virtio-blk", "cache-none", "tcmalloc", "librados-threads", "secure"];
  const rungs = rungsOf(mode).map(({ name }) => name);
  return { rungs: few.filter((name) => rungs.includes(name)), repeat: 3, seconds: 2, bigger: false };
}

/** Checks and completes options; throws SIPHON_USAGE with one sentence. */
export function parseLadderOptions(input: LadderOptionsInput): LadderOptions {
  const parsed = ladderFields.safeParse(input);
  if (!parsed.success) throw usage("these options make no sense", parsed.error);
  const { mode, rungs, releases } = parsed.data;
  checkRungNames(mode, rungs);
  if (releases) checkReleases(parsed.data);
  const problem = curveProblem(parsed.data);
  if (problem !== undefined) throw new LabError("SIPHON_USAGE", problem);
  // The bigger test compares settings, which are the same for all releases.
  const { seed = drawSeed(), size = defaultSize(), bigger = releases === undefined } = parsed.data;
  if (bigger && size < BIGGER_TEST_NEEDS) {
    throw new LabError(
      "SIPHON_USAGE",
      `${formatSize(size)} are too little for the bigger test, which makes an XFS`,
      {
        hint: `give a --size of ${formatSize(BIGGER_TEST_NEEDS)} or more, or say --no-bigger`,
      },
    );
  }
  const { repeat = MOST_BLOCKS } = parsed.data;
  return { ...parsed.data, repeat, inTime: parsed.data.repeat === undefined, seed, size, bigger };
}

function checkReleases({ mode, rungs = [], librbd }: z.output<typeof ladderFields>): void {
  const refuse = (why: string, hint: string) => {
    throw new LabError("SIPHON_USAGE", why, { hint });
  };
  if (mode === "published") refuse("the study's steps say nothing of releases", "leave --mode out");
  if (rungs.length > 1) {
    refuse("releases are compared on one rung", "name the rung whose settings all shall have: --rungs q35");
  }
  if (librbd !== undefined) refuse("--librbd and --releases both say which librbd", "leave --librbd out");
}

/** Reads a plan, a YAML file with the same options; throws SIPHON_NOT_FOUND or SIPHON_USAGE. */
export async function readPlan(path: string): Promise<LadderOptionsInput> {
  const plan = await readYaml(path, "plan");
  const parsed = ladderFields.safeParse(plan);
  if (!parsed.success) throw usage(`the plan ${path} makes no sense`, parsed.error);
  return plan as LadderOptionsInput;
}

/** Bytes; XFS needs at least 300 MiB. */
const BIGGER_TEST_NEEDS = 512 * 2 ** 20;

/** An eighth of the free memory in steps of 256 MiB, from 512 MiB to 1 GiB: a memstore OSD keeps twice that. */
function defaultSize(): number {
  const step = 256 * 2 ** 20;
  return Math.min(4, Math.max(2, Math.floor(freemem() / 8 / step))) * step;
}

function usage(what: string, error: z.ZodError): LabError {
  return new LabError("SIPHON_USAGE", `${what}: ${problemsOf(error)}`);
}

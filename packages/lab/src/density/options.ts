import { z } from "zod";
import { LabError } from "../errors.ts";
import { problemsOf } from "../input.ts";
import { vmsAtOnce } from "../ladder/room.ts";
import { formatSize, sizeField as size } from "../ladder/size.ts";
import { drawSeed, type LoadOptions, loadFields } from "../load/options.ts";
import { wayNames } from "./ways.ts";

/** Options of a density run; everything has a default. */
const densityFields = z.strictObject({
  ...loadFields,
  /** Blocks: in each, all VMs are booted again. */
  repeat: loadFields.repeat.unwrap().default(3),
  /** For each VM. */
  iodepth: loadFields.iodepth.unwrap().default(16),
  /** Bytes of each VM's image. */
  size: size.default(128 * 2 ** 20),
  /** Numbers of VMs under load together: the points of the curves. */
  vms: z
    .array(z.int().min(1).max(64))
    .min(1)
    .refine((all) => new Set(all).size === all.length, "something is named twice")
    .transform((all) => all.toSorted((a, b) => a - b))
    .default([1, 2, 4]),
  ways: z
    .array(z.enum(wayNames))
    .min(1)
    .refine((all) => new Set(all).size === all.length, "something is named twice")
    .default([...wayNames]),
  accel: z.enum(["auto", "kvm", "tcg"]).default("auto"),
  vm: z
    .strictObject({
      cpus: z.int().min(1).max(64).default(1),
      /** Bytes. */
      memory: size.default(384 * 2 ** 20),
    })
    .prefault({}),
});

export type DensityOptionsInput = z.input<typeof densityFields>;
export type DensityOptions = z.output<typeof densityFields> & LoadOptions;

/** A first look: one and two VMs, two blocks of a second. */
export const quickDensity: DensityOptionsInput = { vms: [1, 2], repeat: 2, seconds: 1 };

/**
 * Checks and completes options.
 *
 * @throws LabError SIPHON_USAGE with one sentence, also if this machine has no room for the VMs
 */
export function parseDensityOptions(input: DensityOptionsInput): DensityOptions {
  const parsed = densityFields.safeParse(input);
  if (!parsed.success) {
    throw new LabError("SIPHON_USAGE", `these options make no sense: ${problemsOf(parsed.error)}`);
  }
  const { data } = parsed;
  const most = Math.max(...data.vms);
  const room = vmsAtOnce({ vm: data.vm, guestImage: undefined });
  if (most > room) {
    const message = `${most} VMs of ${formatSize(data.vm.memory)} do not fit into this machine's free memory, which has room for ${room}`;
    throw new LabError("SIPHON_USAGE", message, { hint: "give fewer --vms, or less --memory" });
  }
  return { ...data, seed: data.seed ?? drawSeed() };
}

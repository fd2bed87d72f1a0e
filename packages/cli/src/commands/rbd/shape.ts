import { defaultFeatures, featureOf, imageFeature } from "@siphon/rbd";
import type { Command } from "commander";
import { badOption, parseBytes, usage } from "./image-spec.ts";

/** How a new image is made. */
export interface ShapeFlags {
  objectSize?: string;
  order?: string;
  imageFeature?: string[];
  imageShared?: boolean;
  stripeUnit?: string;
  stripeCount?: string;
  dataPool?: string;
}

export function withShapeFlags(command: Command): Command {
  return command
    .option("--object-size <size>", "object size, 4K to 32M (default: 4M)")
    .option("--order <order>", "object size as a power of two")
    .option("--image-feature <feature...>", "features, by commas or repeated")
    .option("--image-shared", "for many writers at once: without exclusive-lock and what needs it")
    .option("--stripe-unit <size>", "stripe unit")
    .option("--stripe-count <n>", "stripe count")
    .option("--data-pool <pool>", "pool for the data");
}

export function shape(flags: ShapeFlags, usual: number | undefined) {
  const named = flags.imageFeature
    ?.flatMap((names) => names.split(","))
    .reduce((sum, name) => sum | featureOption(name), 0);
  const { exclusiveLock, objectMap, fastDiff } = imageFeature;
  const alone = exclusiveLock | objectMap | fastDiff;
  const wanted = named ?? (flags.imageShared ? (usual ?? defaultFeatures) : usual);
  const features = wanted === undefined ? undefined : flags.imageShared ? wanted & ~alone : wanted;
  const { objectSize, order, stripeUnit, stripeCount, dataPool } = flags;
  if (objectSize !== undefined && order !== undefined) throw usage("--object-size and --order say the same");
  return {
    ...(features !== undefined && { features }),
    ...(objectSize !== undefined && { objectSize: parseBytes(objectSize, "B") }),
    ...(order !== undefined && { objectSize: 2 ** Number(order) }),
    ...(stripeUnit !== undefined && { stripeUnit: parseBytes(stripeUnit, "B") }),
    ...(stripeCount !== undefined && { stripeCount: Number(stripeCount) }),
    ...(dataPool !== undefined && { dataPool }),
  };
}

/** The bit of a feature that an option or argument names. */
export function featureOption(name: string): number {
  try {
    return featureOf(name);
  } catch (error) {
    throw badOption((error as Error).message);
  }
}

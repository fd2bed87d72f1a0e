import { type CreateOptions, featureOf } from "@siphon/rbd";
import { type Command, Option } from "commander";
import { badOption, parseBytes, parseCount, usage } from "./image-spec.ts";

/** Options for the layout and features of a new image. */
export interface ShapeFlags {
  objectSize?: string;
  order?: string;
  imageFeature?: string[];
  imageShared?: boolean;
  stripeUnit?: string;
  stripeCount?: string;
  dataPool?: string;
  journalSplayWidth?: string;
  journalObjectSize?: string;
  journalPool?: string;
  mirrorImageMode?: string;
  imageFormat?: string;
  newFormat?: boolean;
}

export function withShapeFlags(command: Command): Command {
  command
    .option("--object-size <size>", "object size, 4K to 32M (default: 4M)")
    .option("--order <order>", "object size as a power of two")
    .option("--image-feature <features>", "features, by commas or repeated", appended)
    .option(
      "--image-shared",
      "for many writers at once: without exclusive-lock and the features that need it",
    )
    .option("--stripe-unit <size>", "stripe unit")
    .option("--stripe-count <n>", "stripe count")
    .option("--data-pool <pool>", "pool for the data")
    .option("--mirror-image-mode <mode>", "refused in pools that are mirrored");
  return withJournalFlags(command);
}

/** Flags for journals, which siphon does not create. It accepts and ignores them where rbd ignores them, too. */
export function withJournalFlags(command: Command): Command {
  return command
    .option("--journal-splay-width <n>", unused)
    .option("--journal-object-size <size>", unused)
    .option("--journal-pool <pool>", unused);
}

const unused = "for images with a journal, which siphon does not create; ignored";

function appended(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** Like rbd, siphon makes images of format 1 only for tests: with RBD_FORCE_ALLOW_V1 in the environment. */
export function withImageFormat(command: Command): Command {
  return command
    .option("--image-format <format>", "2 (1 is deprecated)", assertFormat)
    .addOption(new Option("--new-format").hideHelp());
}

function assertFormat(text: string): string {
  if (text !== "1" && text !== "2") throw badOption(`there is no image format ${text}: 2`);
  return text;
}

export function shape(flags: ShapeFlags): CreateOptions {
  const features = flags.imageFeature
    ?.flatMap((names) => names.split(",").filter(Boolean))
    .reduce((sum, name) => sum | featureOption(name), 0);
  checkOthers(flags);
  const { objectSize, order, stripeUnit, stripeCount, dataPool } = flags;
  if (objectSize !== undefined && order !== undefined) throw usage("--object-size and --order say the same");
  return {
    ...((flags.imageFormat ?? flags.newFormat) && { format: flags.imageFormat === "1" ? 1 : 2 }),
    ...(features !== undefined && { features }),
    ...(flags.imageShared && { isShared: true }),
    ...(objectSize !== undefined && { objectSize: roundedSize(parseBytes(objectSize, "B")) }),
    ...(order !== undefined && { objectSize: 2 ** orderOf(order) }),
    ...(stripeUnit !== undefined && { stripeUnit: parseBytes(stripeUnit, "B") }),
    ...(stripeCount !== undefined && { stripeCount: parseCount("--stripe-count", stripeCount) }),
    ...(dataPool !== undefined && { dataPool }),
    ...(flags.mirrorImageMode !== undefined && { mirrored: true }),
  };
}

/** The nearest power of two on a logarithmic scale: rbd rounds object sizes like this. */
function roundedSize(bytes: number): number {
  return 2 ** Math.round(Math.log2(bytes));
}

function orderOf(text: string): number {
  const order = parseCount("--order", text);
  if (order < 12 || order > 25) throw badOption(`an order is 12 to 25, and not ${text}`);
  return order;
}

/** Refuses the values for journals and mirrors that rbd refuses. */
export function checkOthers({ journalSplayWidth, journalObjectSize, mirrorImageMode }: ShapeFlags): void {
  if (journalSplayWidth !== undefined) parseCount("--journal-splay-width", journalSplayWidth);
  if (journalObjectSize !== undefined) {
    const order = Math.log2(parseBytes(journalObjectSize, "B"));
    if (!Number.isInteger(order) || order < 12 || order > 26) {
      throw badOption(
        `a journal's objects are of 4K to 64M, a power of two, and not of ${journalObjectSize}`,
      );
    }
  }
  if (mirrorImageMode !== undefined && !["journal", "snapshot"].includes(mirrorImageMode)) {
    throw badOption(`there is no mirror image mode ${mirrorImageMode}: journal or snapshot`);
  }
}

/** The bit of the feature that an option or argument names. */
export function featureOption(name: string): number {
  try {
    return featureOf(name);
  } catch (error) {
    throw badOption((error as Error).message);
  }
}

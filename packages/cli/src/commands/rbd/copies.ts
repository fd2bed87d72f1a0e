import { type CopyOptions, copyResumably, type ImagePool } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import {
  type DestinationFlags,
  destinationSpec,
  newNameSpec,
  sourceAndDestination,
  withDestinationFlags,
} from "./destination.ts";
import {
  type ImageSpec,
  imageSpec,
  type SpecFlags,
  usage,
  wholeImageSpec,
  withSpecFlags,
} from "./image-spec.ts";
import type { ProgressFlags } from "./output.ts";
import { openPool, withPool } from "./run.ts";
import { type ShapeFlags, shape, withShapeFlags } from "./shape.ts";
import { sparseSize, withTransferProgress } from "./transfer-flags.ts";

interface Flags extends ConnectFlags, SpecFlags, ShapeFlags, ProgressFlags, DestinationFlags {
  flatten?: boolean;
  resume?: boolean;
  sparseSize: string;
}

/** Commands that rename and copy images. */
export function copyCommands(): Command[] {
  const deep = new Command("deep").summary("copy an image with its snapshots: deep copy");
  const flattening = "give the copy of a clone its parent's data, and no parent";
  deep.addCommand(
    copying(
      "copy an image with its parent and its snapshots, or with those up to one of them",
      "Image deep copy",
      deepCopy,
    ).option("--flatten", flattening),
  );
  const plain = copying("copy an image, or a snapshot of one", "Image copy", copy)
    .option("--sparse-size <size>", "leave out zeros in blocks of this size", "4K")
    .option("--resume", "continue a copy that was interrupted; begin one that can be continued");
  return [rename(), plain, deep];
}

type Copy = (
  source: ImagePool,
  from: ImageSpec,
  there: ImagePool,
  to: ImageSpec,
  options: CopyOptions,
  flags: Flags,
) => Promise<void>;

const copy: Copy = (source, { image, snapshot }, there, to, options, flags) => {
  const copying = { ...options, snapshot, sparseSize: sparseSize(flags.sparseSize) };
  if (flags.resume) return copyResumably(source, image, there, to.image, copying);
  return source.copy(image, to.image, there, copying);
};

const deepCopy: Copy = (source, { image, snapshot }, there, to, options, { flatten = false }) =>
  source.deepCopy(image, to.image, there, { ...options, snapshot, flatten });

function copying(summary: string, title: string, action: Copy): Command {
  const command = withShapeFlags(withTwoImages(new Command("copy").alias("cp").summary(summary)))
    .option("--no-progress", "disable progress output")
    .action((first: string | undefined, second: string | undefined, flags: Flags) => {
      const [from, to] = sourceAndDestination(first, second, flags);
      const source = imageSpec(from, flags);
      const target = destinationSpec(to, flags);
      return withPool(flags, source, async (images, cluster) => {
        const there = await openPool(cluster, target);
        const { signal } = interruption;
        await withTransferProgress(title, flags, (onProgress) =>
          action(images, source, there, target, { ...shape(flags), signal, onProgress }, flags),
        );
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

function rename(): Command {
  const command = withTwoImages(
    new Command("rename").alias("mv").summary("rename an image within its pool"),
  ).action((first: string | undefined, second: string | undefined, flags: Flags) => {
    const [from, to] = sourceAndDestination(first, second, flags);
    const source = wholeImageSpec(from, flags);
    const target = newNameSpec(to, flags, source);
    if (target.snapshot !== undefined)
      throw usage("destination snapshot name specified for a command that doesn't use it");
    if (target.pool !== source.pool) throw usage("mv/rename across pools not supported", useCopy);
    if (target.namespace !== source.namespace) {
      throw usage("mv/rename across namespaces not supported", useCopy);
    }
    return withPool(flags, source, (images) => images.rename(source.image, target.image));
  });
  return withConnectFlags(withSpecFlags(command));
}

const useCopy = "an image gets there with: siphon rbd deep cp";

function withTwoImages(command: Command): Command {
  return withDestinationFlags(command.argument("[source-image-or-snap-spec]").argument("[dest-image-spec]"));
}

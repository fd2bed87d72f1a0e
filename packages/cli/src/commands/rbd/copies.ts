import { type CopyOptions, ImagePool } from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { type ImageSpec, imageSpec, type SpecFlags, usage, withSpecFlags } from "./image-spec.ts";
import type { ProgressFlags } from "./output.ts";
import { withPool } from "./run.ts";
import { type ShapeFlags, shape, withShapeFlags } from "./shape.ts";
import { withTransferProgress } from "./transfer-flags.ts";

interface Flags extends ConnectFlags, SpecFlags, ShapeFlags, ProgressFlags {
  dest?: string;
  destPool?: string;
  destNamespace?: string;
  flatten?: boolean;
}

/** Commands that give images another name, or make others like them. */
export function copyCommands(): Command[] {
  const deep = new Command("deep").summary("copy an image with its snapshots: deep copy");
  const flattening = "give the copy of a clone its parent's data, and no parent";
  deep.addCommand(
    copying("copy an image with its snapshots and its parent", "Image deep copy", deepCopy).option(
      "--flatten",
      flattening,
    ),
  );
  return [rename(), copying("copy an image, or a snapshot of one", "Image copy", copy), deep];
}

type Copy = (
  source: ImagePool,
  from: ImageSpec,
  there: ImagePool,
  to: ImageSpec,
  options: CopyOptions,
  flags: Flags,
) => Promise<void>;

const copy: Copy = (source, { image, snapshot }, there, to, options) =>
  source.copy(image, to.image, there, { ...options, snapshot });

const deepCopy: Copy = (source, { image, snapshot }, there, to, options, { flatten = false }) => {
  if (snapshot !== undefined) throw usage("a deep copy is of an image, and not of a snapshot");
  return source.deepCopy(image, to.image, there, { ...options, flatten });
};

function copying(summary: string, title: string, action: Copy): Command {
  const command = withShapeFlags(withDestination(new Command("copy").alias("cp").summary(summary)))
    .option("--no-progress", "disable progress output")
    .action((from: string | undefined, to: string | undefined, flags: Flags) => {
      const source = imageSpec(from, flags);
      const target = destination(to, flags, source);
      return withPool(flags, source, async (images, cluster) => {
        const there = await ImagePool.open(cluster, target.pool, { namespace: target.namespace });
        const { signal } = interruption;
        await withTransferProgress(title, flags, (onProgress) =>
          action(images, source, there, target, { ...shape(flags, undefined), signal, onProgress }, flags),
        );
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

function rename(): Command {
  const command = withDestination(
    new Command("rename").alias("mv").summary("rename an image within its pool"),
  ).action((from: string | undefined, to: string | undefined, flags: Flags) => {
    const source = imageSpec(from, flags);
    const target = destination(to, flags, source);
    if (target.pool !== source.pool || target.namespace !== source.namespace) {
      throw usage("an image stays in its pool and namespace when it is renamed");
    }
    return withPool(flags, source, (images) => images.rename(source.image, target.image));
  });
  return withConnectFlags(withSpecFlags(command));
}

function withDestination(command: Command): Command {
  return command
    .argument("[source-image-spec]")
    .argument("[dest-image-spec]")
    .option("--dest <image>", "destination, instead of the argument")
    .option("--dest-pool <pool>", "pool of the destination (default: rbd)")
    .option("--dest-namespace <namespace>", "namespace of the destination");
}

/** In the pool that options name, or in the source's when it is renamed by name alone. */
function destination(text: string | undefined, flags: Flags, source: ImageSpec): ImageSpec {
  const { dest, destPool = flags.pool, destNamespace } = flags;
  const spec = {
    ...(dest !== undefined && { image: dest }),
    ...(destPool !== undefined && { pool: destPool }),
  };
  const within = text !== undefined && !text.includes("/") && destPool === undefined;
  return imageSpec(text, {
    ...spec,
    ...(within && { pool: source.pool }),
    ...((destNamespace ?? (within ? source.namespace : undefined)) !== undefined && {
      namespace: destNamespace ?? source.namespace,
    }),
  });
}

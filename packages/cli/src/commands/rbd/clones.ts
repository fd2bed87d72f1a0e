import { type Image, toRead } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import {
  type DestinationFlags,
  destinationSpec,
  sourceAndDestination,
  withDestinationFlags,
} from "./destination.ts";
import { type EncryptionFlags, withEncryptionFlags } from "./encryption-flags.ts";
import {
  type ImageSpec,
  imageSpec,
  listedImage,
  type SpecFlags,
  snapshotOf,
  snapshotSpec,
  wholeImageSpec,
  withImageId,
  withSpecFlags,
} from "./image-spec.ts";
import { type FormatFlags, type ProgressFlags, print, withFormatFlags, withProgress } from "./output.ts";
import { openPool, withImage, withLoadedImage, withPool } from "./run.ts";
import { type ShapeFlags, shape, withShapeFlags } from "./shape.ts";

type Flags = ConnectFlags & SpecFlags;

export function cloneCommand(): Command {
  const command = withShapeFlags(
    new Command("clone")
      .summary("clone a snapshot into a copy-on-write image")
      .argument("[source-snap-spec]")
      .argument("[dest-image-spec]"),
  )
    .option("--snap-id <id>", "snapshot by its id, also one taken of a group, instead of behind an @")
    .action((first: string | undefined, second: string | undefined, flags: CloneFlags) => {
      const [from, to] = sourceAndDestination(first, second, flags);
      const source = flags.snapId === undefined ? snapshotSpec(from, flags) : imageSpec(from, flags);
      const snapshot = snapshotOf(source, flags)!;
      const target = destinationSpec(to, flags);
      return withPool(flags, source, async (images, cluster) => {
        const there = await openPool(cluster, target);
        await images.clone(source.image, snapshot, target.image, there, shape(flags));
      });
    });
  return withConnectFlags(withSpecFlags(withDestinationFlags(command)));
}

type CloneFlags = Flags & ShapeFlags & DestinationFlags & { snapId?: string };

export function flattenCommand(): Command {
  const command = new Command("flatten")
    .summary("fill a clone with its parent's data")
    .argument("[image-spec]")
    .option("--dry-run", "only print what would be done")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: FlattenFlags) => {
      const spec = wholeImageSpec(text, flags);
      if (flags.dryRun) return withImage(flags, spec, toRead(), (image) => tellFlatten(spec, image));
      return withLoadedImage(flags, spec, (image) =>
        withProgress("Image flatten", flags, (onProgress) => image.flatten({ onProgress })),
      );
    });
  return withConnectFlags(withSpecFlags(withEncryptionFlags(command)));
}

type FlattenFlags = Flags & ProgressFlags & EncryptionFlags & { dryRun?: boolean };

async function tellFlatten({ pool, image: name }: ImageSpec, { header }: Image): Promise<void> {
  const { parent } = header;
  const what =
    parent === undefined
      ? `not flatten ${pool}/${name}: it has no parent`
      : `copy up to ${bytesText(parent.overlap)} of its parent to ${pool}/${name}`;
  process.stdout.write(`would ${what}\n`);
}

export function childrenCommand(): Command {
  const command = new Command("children")
    .summary("display the clones of an image or of a snapshot")
    .argument("[image-or-snap-spec]")
    .option("--snap-id <id>", "snapshot by its id, instead of behind an @")
    .option("-a, --all", "clones in the trash as well")
    .option("--descendants", "clones of clones as well")
    .action((text: string | undefined, flags: ChildrenFlags) => {
      const spec = imageSpec(text, flags);
      const snapshot = snapshotOf(spec, flags);
      return withImage(flags, spec, toRead(snapshot), async (image) => {
        const { snapId } = image;
        const all = await (flags.descendants ? image.descendants(snapId) : image.children(snapId));
        const found = all.filter(({ trash }) => flags.all || !trash);
        print(
          flags,
          () => found.map((child) => `${listedImage(child)}\n`).join(""),
          () =>
            found.map(({ pool, namespace, name, id, trash }) => ({
              ...{ pool, pool_namespace: namespace, image: name },
              ...(flags.all && { id, trash }),
            })),
          { root: "children", items: { children: "child" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(withImageId(command))));
}

type ChildrenFlags = Flags & FormatFlags & { snapId?: string; all?: boolean; descendants?: boolean };

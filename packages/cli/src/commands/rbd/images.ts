import { completeOrDiscard, type ImagePool, toRead } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { describeImage, infoText } from "./describe.ts";
import { type EncryptionFlags, withEncryptionFlags } from "./encryption-flags.ts";
import {
  imageSpec,
  parseBytes,
  type SpecFlags,
  usage,
  wholeImageSpec,
  withImageId,
  withSpecFlags,
} from "./image-spec.ts";
import { type FormatFlags, type ProgressFlags, print, withFormatFlags, withProgress } from "./output.ts";
import { withImage, withLoadedImage, withPool } from "./run.ts";
import { type ShapeFlags, shape, withImageFormat, withShapeFlags } from "./shape.ts";

type Flags = ConnectFlags & SpecFlags;

export function createCommand(): Command {
  const command = withShapeFlags(
    new Command("create").summary("create an empty image").argument("[image-spec]"),
  )
    .option("-s, --size <size>", "size (default unit: M)")
    .option("--thick-provision", "write zeros to the whole image, so that its space is allocated")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: CreateFlags) => {
      const spec = wholeImageSpec(text, flags);
      const size = sizeOf(flags);
      const wanted = shape(flags);
      return withPool(flags, spec, async (images) => {
        const id = await images.create(spec.image, size, wanted);
        if (flags.thickProvision) await provision(images, id, flags);
      });
    });
  return withConnectFlags(withSpecFlags(withImageFormat(command)));
}

type CreateFlags = Flags & ShapeFlags & ProgressFlags & { size?: string; thickProvision?: boolean };

/** Writes all of a new image (thick provisioning); removes the image if that fails. */
async function provision(images: ImagePool, id: string, flags: ProgressFlags): Promise<void> {
  await completeOrDiscard(images, id, async () => {
    await using image = await images.openById(id);
    await withProgress("Thick provisioning", flags, (onProgress) => image.provision({ onProgress }));
  });
}

export function infoCommand(): Command {
  const command = new Command("info")
    .summary("show information about an image")
    .argument("[image-or-snap-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = imageSpec(text, flags);
      return withImage(flags, spec, toRead(spec.snapshot), async (image, cluster) => {
        const described = await describeImage(cluster, image);
        print(
          flags,
          () => infoText(described),
          () => described,
          { root: "image", items: { features: "feature", op_features: "op_feature", flags: "flag" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(withImageId(command))));
}

export function resizeCommand(): Command {
  const command = new Command("resize")
    .summary("resize (expand or shrink) an image")
    .argument("[image-spec]")
    .option("-s, --size <size>", "size (default unit: M)")
    .option("--allow-shrink", "permit shrinking")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: ResizeFlags) => {
      const { allowShrink = false } = flags;
      const spec = wholeImageSpec(text, flags);
      const size = sizeOf(flags);
      return withLoadedImage(flags, spec, (image, encrypted) => {
        if (size === (encrypted ?? image).size) {
          throw usage("new size is equal to original size");
        }
        // The size that the user gives is that of the data, without the encryption header.
        const bytes = size + (encrypted?.dataOffset ?? 0);
        return withProgress("Resizing image", flags, (onProgress) =>
          image.resize(bytes, { allowShrink, onProgress }),
        );
      });
    });
  return withConnectFlags(withSpecFlags(withEncryptionFlags(command)));
}

type ResizeFlags = Flags & ProgressFlags & EncryptionFlags & { size?: string; allowShrink?: boolean };

export function removeCommand(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("delete an image")
    .argument("[image-spec]")
    .option("--dry-run", "only print what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & ProgressFlags & { dryRun?: boolean }) => {
      const spec = wholeImageSpec(text, flags);
      const { pool, image } = spec;
      return withPool(flags, spec, async (images) => {
        if (flags.dryRun) {
          const { to } = await images.planRemoval(image);
          if (to === "nowhere") await images.assertRemovable(image);
          const what = to === "trash" ? "put image into the trash:" : "remove image";
          process.stdout.write(`would ${what} ${pool}/${image}\n`);
          return;
        }
        await withProgress("Removing image", flags, (onProgress) => images.remove(image, { onProgress }));
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

function sizeOf({ size }: { size?: string }): number {
  if (size === undefined) throw usage("must specify --size <num>", "in M unless said otherwise: --size 10G");
  return parseBytes(size, "M");
}

import {
  applyDiff,
  Backup,
  completeOrDiscard,
  createOptions,
  DiffReader,
  exportedImage,
  type Image,
  imageTarget,
} from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { bytesText } from "../rados/format.ts";
import { imageSpec, type SpecFlags, usage, withSpecFlags } from "./image-spec.ts";
import type { ProgressFlags } from "./output.ts";
import { withPool } from "./run.ts";
import { withTransferProgress } from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags;

const { signal } = interruption;

export function backupCommand(): Command {
  const command = new Command("backup")
    .summary("back up the snapshots of an image into a directory, as diffs with checksums")
    .argument("<image-or-snap-spec>", "with a snapshot: up to that one (default: create one)")
    .argument("<directory>")
    .option("--keep <n>", "keep only the newest n points, and merge older ones")
    .option("--no-progress", "disable progress output")
    .action((text: string, directory: string, flags: Flags & { keep?: string }) => {
      const spec = imageSpec(text, flags);
      const keep = flags.keep === undefined ? undefined : Number(flags.keep);
      if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0))
        throw usage("--keep takes a number from 1 on");
      return withPool(flags, spec, async (images) => {
        const reading = { readOnly: true, watch: false };
        await using image = await images.open(spec.image, spec.snapshot === undefined ? {} : reading);
        await image.assertOneKey();
        const place = [spec.pool, spec.namespace, spec.image].filter((part) => part !== "").join("/");
        const described = { spec: place, id: image.id, ...(await exportedImage(image)) };
        await using backup = await Backup.openForChange(directory, described);
        const snapshot = spec.snapshot ?? (await newSnapshot(image));
        await using then = await images.open(spec.image, { ...reading, snapshot });
        const source = then.diff({ from: backup.newest?.name });
        await withTransferProgress("Backing up image", flags, async (onProgress) => {
          await backup.add(snapshot, source, { onProgress, signal });
        });
        if (keep !== undefined)
          await backup.keep(new Set(backup.points.slice(-keep).map(({ name }) => name)));
        process.stdout.write(`${backup.newest!.name}\n`);
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

export function restoreCommand(): Command {
  const command = new Command("restore")
    .summary("restore an image from a point of a backup; list or check the points")
    .argument("<directory>")
    .argument("[dest-image-spec]", "name of the new image")
    .option("--point <name>", "default: the newest")
    .option("--list", "only list the points")
    .option("--verify", "only read all points and compare them with their checksums")
    .option("--no-progress", "disable progress output")
    .action(
      async (
        directory: string,
        text: string | undefined,
        flags: Flags & { point?: string; list?: boolean; verify?: boolean },
      ) => {
        const backup = await Backup.open(directory);
        if (flags.list || flags.verify) {
          for (const point of backup.points) {
            if (flags.verify) await backup.verify(point);
            const { name, size, bytes, created } = point;
            const verdict = flags.verify ? "  sound" : "";
            process.stdout.write(`${name}  ${created}  ${bytesText(size)}  ${bytesText(bytes)}${verdict}\n`);
          }
          return;
        }
        const spec = imageSpec(text, flags);
        const point = flags.point ?? backup.newest?.name;
        if (point === undefined) throw usage(`${directory} has no points yet`);
        await withPool(flags, spec, (images) =>
          withTransferProgress("Restoring image", flags, async (onProgress) => {
            await using source = backup.read(point);
            const reader = await DiffReader.open(source);
            const size = reader.header.size ?? 0;
            const id = await images.create(spec.image, size, createOptions(backup.image));
            await completeOrDiscard(images, id, async () => {
              await using image = await images.openById(id);
              await image.metadata.set(backup.image.metadata);
              await applyDiff(reader, imageTarget(image), { onProgress, signal });
            });
          }),
        );
      },
    );
  return withConnectFlags(withSpecFlags(command));
}

async function newSnapshot(image: Image): Promise<string> {
  const name = `backup-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  await image.snapshots.create(name);
  return name;
}

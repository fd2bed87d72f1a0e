import { basename } from "node:path";
import { type CephClient, formatSize, importImage, parseSize, prefillImage, resizeImage } from "@siphon/lab";
import { Command } from "commander";
import { type ClusterFlags, clientFor, withClusterFlags } from "../cluster-flags.ts";
import { interruption } from "../interruption.ts";
import { withStateDir } from "../options.ts";
import { terminalSteps } from "../progress.ts";
import { sizeOption } from "../size-option.ts";
import { buildGuestCommand } from "./build-guest.ts";

export function imageCommand(): Command {
  return new Command("image")
    .description(
      "Prepare RBD images for VMs, on a local cluster (--cluster) or on an existing one (--conf); and build guests.",
    )
    .addCommand(onCluster(importCommand()))
    .addCommand(onCluster(resizeCommand()))
    .addCommand(onCluster(prefillCommand()))
    .addCommand(buildGuestCommand());
}

interface Flags extends ClusterFlags {
  json?: boolean;
}

function onCluster(command: Command): Command {
  return withClusterFlags(withStateDir(command).option("--json", "print what was done as JSON"));
}

function importCommand(): Command {
  return new Command("import")
    .summary("import a cloud image or a raw file into RBD")
    .description(
      "Import a qcow2 or raw file into RBD with qemu-img, as the study does. The image appears when it is complete.",
    )
    .argument("<file>", "the file to import")
    .argument("[image]", "name of the new image (default: siphon- and the file's name without its extension)")
    .addOption(sizeOption("--size <size>", "make the image larger than the disk in the file"))
    .action(async (file: string, name: string | undefined, flags: Flags & { size?: number }) => {
      const image = name ?? `siphon-${basename(file).replace(/\.[^.]*$/, "")}`;
      const client = await clientFor(flags, image);
      const title = `Import ${file} as ${client.spec(image)}`;
      await terminalSteps({ quiet: flags.json })(title, (report) =>
        importImage(client, {
          ...{ file, image, size: flags.size, signal: interruption.signal },
          onProgress: (share) => report(`${Math.round(share * 100)} %`),
        }),
      );
      done(flags, client, image);
    });
}

function resizeCommand(): Command {
  return new Command("resize")
    .summary("change an image's size")
    .description("Change an image's size. Partitions and file systems in it keep their sizes.")
    .argument("<image>", "the image")
    .argument("<size>", "the new size: 20G", parseSize)
    .option("--shrink", "allow a smaller size; data beyond the new end is lost")
    .action(async (image: string, size: number, flags: Flags & { shrink?: boolean }) => {
      const client = await clientFor(flags, image);
      const { signal } = interruption;
      const title = `Resize ${client.spec(image)} to ${formatSize(size)}`;
      await terminalSteps({ quiet: flags.json })(title, () =>
        resizeImage(client, { image, size, shrink: flags.shrink, signal }),
      );
      done(flags, client, image);
    });
}

function prefillCommand(): Command {
  return new Command("prefill")
    .summary("overwrite an image with random data, so that reads find data")
    .description("Overwrite an image with random data, so that reads find data. The old content is lost.")
    .argument("<image>", "the image")
    .addOption(sizeOption("--size <size>", "fill only this much, from the start"))
    .action(async (image: string, flags: Flags & { size?: number }) => {
      const client = await clientFor(flags, image);
      await terminalSteps({ quiet: flags.json })(`Fill ${client.spec(image)}`, (report) =>
        prefillImage(client, {
          ...{ image, size: flags.size, signal: interruption.signal },
          onProgress: (bytes, total) => report(`${formatSize(bytes)} of ${formatSize(total)}`),
        }),
      );
      done(flags, client, image);
    });
}

function done({ json }: Flags, client: CephClient, image: string): void {
  const { conf, user, pool, namespace } = client.target;
  if (json) process.stdout.write(`${JSON.stringify({ conf, user, pool, namespace, image }, null, 2)}\n`);
  else process.stdout.write(`${client.spec(image)}\n`);
}

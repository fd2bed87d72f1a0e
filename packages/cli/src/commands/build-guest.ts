import { buildGuestImage, exportGuestImage } from "@siphon/lab";
import { Command } from "commander";
import { interruption } from "../interruption.ts";
import { terminalSteps } from "../progress.ts";
import { sizeOption } from "../size-option.ts";

interface Flags {
  out?: string;
  size?: number;
  suite?: string;
  mirror?: string;
  force?: boolean;
  json?: boolean;
}

/** `siphon image build-guest`. */
export function buildGuestCommand(): Command {
  return new Command("build-guest")
    .description(
      "Build a Debian guest image from the distribution's packages, with an ssh server, fio and mkfs.xfs: for\n" +
        "siphon ladder --guest-image. Siphon's own ssh key can log in as root. The image boots by itself, or with\n" +
        "the kernel and initramfs beside it.",
    )
    .option("--out <file>", "also write a copy (FILE.qcow2, and FILE.vmlinuz and FILE.initrd beside it)")
    .addOption(sizeOption("--size <size>", "size of the disk (default: 4G)"))
    .option("--suite <name>", "Debian release (default: that of this machine, or bookworm)")
    .option("--mirror <url>", "Debian archive to take packages from (default: what this machine uses)")
    .option("--force", "build it again even if it is in the cache, and replace FILE")
    .option("--json", "print the paths as JSON")
    .action(async ({ out, size, suite, mirror, force, json }: Flags) => {
      const step = terminalSteps({ quiet: json });
      const { signal } = interruption;
      const built = await step("Build the guest image", (onProgress) =>
        buildGuestImage({ size, suite, mirror, force, signal, onProgress }),
      );
      const image = out ? await exportGuestImage(built, out, { force }) : built;
      if (json) process.stdout.write(`${JSON.stringify(image, null, 2)}\n`);
      else process.stdout.write(`disk    ${image.disk}\nkernel  ${image.kernel}\ninitrd  ${image.initrd}\n`);
    });
}

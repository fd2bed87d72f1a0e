import { type ImagePool, mirrorMode, RbdError } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { poolSpec, type SpecFlags, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, withFormatFlags } from "./output.ts";
import { withPool } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & FormatFlags;

/** Tells whether pools and images are mirrored. rbd tells more about those that are. */
export function mirrorCommand(): Command {
  const pool = new Command("pool").summary("mirroring of a pool: info, status");
  pool.addCommand(
    withFlags(
      new Command("info")
        .summary("show how a pool is mirrored")
        .argument("[pool-name]")
        .option("--all", "with all attributes of its peers"),
      (text, flags) =>
        withPool(flags, poolSpec(text, flags), async (images) => {
          await refuseMirrored(images);
          print(
            flags,
            () => "Mode: disabled\n",
            () => ({ mode: "disabled" }),
            { root: "mirror" },
          );
        }),
    ),
  );
  pool.addCommand(
    withFlags(
      new Command("status")
        .summary("show the state of a pool's mirrors")
        .argument("[pool-name]")
        .option("--verbose", "with all of its images"),
      (text, flags) =>
        withPool(flags, poolSpec(text, flags), async (images) => {
          await refuseMirrored(images);
          throw notMirrored("the pool");
        }),
    ),
  );
  const image = new Command("image").summary("mirroring of an image: status");
  image.addCommand(
    withFlags(
      new Command("status").summary("show the state of an image's mirrors").argument("[image-spec]"),
      (text, flags) => {
        const spec = wholeImageSpec(text, flags);
        return withPool(flags, spec, async (images) => {
          await using _image = await images.open(spec.image, { readOnly: true, watch: false });
          await refuseMirrored(images);
          throw notMirrored("the image");
        });
      },
    ),
  );
  const command = new Command("mirror").summary("mirroring to another cluster: state of pools and images");
  command.addCommand(pool);
  command.addCommand(image);
  return command;
}

async function refuseMirrored(images: ImagePool): Promise<void> {
  const mode = await mirrorMode(images);
  if (mode === "disabled") return;
  const message = `pool ${images.pool.name} is mirrored (mode ${mode}): siphon cannot say how far that is`;
  throw new RbdError("SIPHON_RBD_UNSUPPORTED", message, { hint: "ask with: rbd mirror" });
}

function notMirrored(what: string): RbdError {
  return new RbdError("SIPHON_RBD_INVALID", `mirroring not enabled on ${what}`);
}

function withFlags(
  command: Command,
  action: (text: string | undefined, flags: Flags) => Promise<void>,
): Command {
  return withConnectFlags(withFormatFlags(withSpecFlags(command.action(action))));
}

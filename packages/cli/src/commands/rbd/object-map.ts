import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { imageSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags;

export function objectMapCommand(): Command {
  const command = new Command("object-map").summary("object maps: check, rebuild");
  command.addCommand(
    withFlags(new Command("check").summary("compare an object map with the objects"), async (text, flags) => {
      const spec = imageSpec(text, flags);
      await withImage(flags, spec, {}, (image) =>
        withProgress("Object Map Check", flags, async (onProgress) => {
          const errors = await image.checkObjectMap({ snapshot: spec.snapshot, onProgress });
          for (const { objectNumber, marked = "nothing", found } of errors) {
            const object = `${image.header.objectPrefix}.${objectNumber.toString(16).padStart(16, "0")}`;
            process.stderr.write(
              `object map error: object ${object} marked as ${marked}, but should be ${found}\n`,
            );
          }
        }),
      );
    }),
  );
  command.addCommand(
    withFlags(
      new Command("rebuild").summary("rebuild an object map from the objects"),
      async (text, flags) => {
        const spec = imageSpec(text, flags);
        await withImage(flags, spec, {}, (image) =>
          withProgress("Object Map Rebuild", flags, (onProgress) =>
            image.rebuildObjectMap({ snapshot: spec.snapshot, onProgress }),
          ),
        );
      },
    ),
  );
  return command;
}

function withFlags(
  command: Command,
  action: (text: string | undefined, flags: Flags) => Promise<void>,
): Command {
  command.argument("[image-or-snap-spec]").option("--no-progress", "disable progress output").action(action);
  return withConnectFlags(withSpecFlags(command));
}

import { toRead } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { imageSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & FormatFlags & { fromSnap?: string; wholeObject?: boolean };

export function diffCommand(): Command {
  const command = new Command("diff")
    .summary("print the extents that changed in an image")
    .argument("[image-or-snap-spec]")
    .option("--from-snap <snapshot>", "since this snapshot (default: since the image was created)")
    .option("--whole-object", "report objects with any change as a whole")
    .action((text: string | undefined, flags: Flags) => {
      const spec = imageSpec(text, flags);
      const { fromSnap: from, wholeObject } = flags;
      return withImage(flags, spec, toRead(spec.snapshot), async (image) => {
        const extents: { offset: number; length: number; exists: "true" | "false" }[] = [];
        for await (const { offset, length, exists } of image.diff({ from, wholeObject }).extents()) {
          extents.push({ offset, length, exists: exists ? "true" : "false" });
        }
        const rows = extents.map(({ offset, length, exists }) => [
          ...[String(offset), String(length), exists === "true" ? "data" : "zero"],
        ]);
        print(
          flags,
          () => (rows.length === 0 ? "" : table(columns, rows)),
          () => extents,
          { root: "extents", items: { extents: "extent" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

const columns = [
  ["Offset", "left"],
  ["Length", "left"],
  ["Type", "left"],
] as const;

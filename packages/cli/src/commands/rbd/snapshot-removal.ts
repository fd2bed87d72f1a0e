import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import {
  type ImageSpec,
  imageSpec,
  type SpecFlags,
  snapshotOf,
  usage,
  wholeImageSpec,
  withImageId,
  withSpecFlags,
} from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage } from "./run.ts";

interface Flags extends ConnectFlags, SpecFlags, ProgressFlags {
  dryRun?: boolean;
}

interface RemovalFlags extends Flags {
  snapId?: string;
  force?: boolean;
}

export function snapRemoveCommand(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a snapshot")
    .argument("[snap-spec]")
    .option("--snap-id <id>", "snapshot by its id, as snap ls --all shows it, instead of behind an @")
    .option("--force", "flatten its clones and unprotect it, if needed")
    .option("--dry-run", "only print what would be done")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: RemovalFlags) => {
      const spec = imageSpec(text, flags);
      const snapshot = snapshotOf(spec, flags);
      if (snapshot === undefined)
        throw usage("snapshot name was not specified", "[POOL/[NAMESPACE/]]IMAGE@SNAPSHOT");
      if (typeof snapshot === "string") return removeNamed(spec, snapshot, flags);
      if (flags.force || !flags.progress) {
        throw usage("force and no-progress options not permitted when removing by id.");
      }
      if (flags.dryRun) throw usage("--dry-run goes with the name of a snapshot");
      return withImage(flags, spec, {}, ({ snapshots }) => snapshots.removeById(snapshot));
    });
  return withConnectFlags(withSpecFlags(withImageId(command)));
}

function removeNamed(spec: ImageSpec, name: string, flags: RemovalFlags): Promise<void> {
  const { force } = flags;
  if (flags.dryRun) {
    return withImage(flags, spec, { readOnly: true, watch: false }, async ({ snapshots }) => {
      tell(spec, name, snapshots.named(name).isProtected && !force);
    });
  }
  return withImage(flags, spec, {}, ({ snapshots }) =>
    withProgress("Removing snap", flags, (onProgress) => snapshots.remove(name, { force, onProgress })),
  );
}

export function snapPurgeCommand(): Command {
  const command = new Command("purge")
    .summary("remove all unprotected snapshots of an image")
    .argument("[image-spec]")
    .option("--dry-run", "only print what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags) => {
      const spec = wholeImageSpec(text, flags);
      if (flags.dryRun) {
        return withImage(flags, spec, { readOnly: true, watch: false }, async ({ snapshots }) => {
          for (const { name, isProtected } of snapshots.list()) tell(spec, name, isProtected);
        });
      }
      return withImage(flags, spec, {}, async ({ snapshots }) => {
        if (snapshots.list().length === 0) return;
        let kept: string[] = [];
        await withProgress("Removing all snapshots", flags, async (onProgress) => {
          kept = await snapshots.purge({ onProgress });
        });
        if (kept.length > 0) process.stdout.write(keptText(kept));
      });
    });
  return withConnectFlags(withSpecFlags(withImageId(command)));
}

/** rbd's message on standard output. rbd does not count this as a failure. */
function keptText(names: string[]): string {
  const verb = names.length === 1 ? "is" : "are";
  return `rbd: error removing snapshot(s) '${names.join(",")}', which ${verb} protected - these must be unprotected with \`rbd snap unprotect\`.\n`;
}

function tell({ pool, image }: ImageSpec, snapshot: string, isKept: boolean): void {
  const what = isKept ? "not remove protected snapshot" : "remove snapshot";
  process.stdout.write(`would ${what} ${pool}/${image}@${snapshot}\n`);
}

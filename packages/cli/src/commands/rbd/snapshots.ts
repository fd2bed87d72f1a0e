import type { Snapshots } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import {
  type DestinationFlags,
  newNameSpec,
  sourceAndDestination,
  withDestinationFlags,
} from "./destination.ts";
import {
  parseCount,
  type SpecFlags,
  snapshotSpec,
  usage,
  wholeImageSpec,
  withImageId,
  withSpecFlags,
} from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { type QuiesceFlags, quiescing, withQuiesceFlags } from "./quiesce-flags.ts";
import { withImage } from "./run.ts";
import { snapListCommand } from "./snapshot-list.ts";
import { snapPurgeCommand, snapRemoveCommand } from "./snapshot-removal.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags;

export function snapCommand(): Command {
  const snap = new Command("snap").summary(
    "snapshots: ls, create, rm, rename, protect, unprotect, rollback, purge, limit",
  );
  snap.addCommand(snapListCommand());
  snap.addCommand(
    withQuiesceFlags(
      onSnapshot("create", "create a snapshot", "Creating snap", (snapshots, name, onProgress, flags) =>
        snapshots.create(name, { onProgress, quiescing: quiescing(flags) }),
      ).alias("add"),
    ),
  );
  snap.addCommand(snapRemoveCommand());
  snap.addCommand(
    onSnapshot(
      "rollback",
      "make an image what it was at a snapshot",
      "Rolling back to snapshot",
      (snapshots, name, onProgress) => snapshots.rollBack(name, { onProgress }),
      "lose what was written since snapshot",
    ).alias("revert"),
  );
  snap.addCommand(
    onSnapshot("protect", "prevent a snapshot from being removed", undefined, (snapshots, name) =>
      snapshots.protect(name),
    ),
  );
  snap.addCommand(
    withImageId(
      onSnapshot("unprotect", "allow a snapshot to be removed", undefined, (snapshots, name) =>
        snapshots.unprotect(name),
      ),
    ),
  );
  snap.addCommand(rename());
  snap.addCommand(snapPurgeCommand());
  snap.addCommand(limit());
  return snap;
}

/**
 * @param title of the progress; undefined for an action that shows none
 * @param destroys what the action does, in the words that `--dry-run` prints
 */
function onSnapshot(
  name: string,
  summary: string,
  title: string | undefined,
  action: (
    snapshots: Snapshots,
    name: string,
    onProgress: (done: number, total: number) => void,
    flags: QuiesceFlags,
  ) => Promise<void>,
  destroys?: string,
): Command {
  const command = new Command(name)
    .summary(summary)
    .argument("[snap-spec]")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & QuiesceFlags & { dryRun?: boolean }) => {
      const spec = snapshotSpec(text, flags);
      if (name === "create") assertNewName(spec.snapshot, text);
      if (flags.dryRun) {
        return withImage(flags, spec, { readOnly: true, watch: false }, async ({ snapshots }) => {
          const { name } = snapshots.named(spec.snapshot);
          process.stdout.write(`would ${destroys} ${spec.pool}/${spec.image}@${name}\n`);
        });
      }
      const shown = { progress: flags.progress && title !== undefined };
      return withImage(flags, spec, {}, ({ snapshots }) =>
        withProgress(title ?? "", shown, (onProgress) => action(snapshots, spec.snapshot, onProgress, flags)),
      );
    });
  if (destroys !== undefined) command.option("--dry-run", "only print what would be done");
  return withConnectFlags(withSpecFlags(command));
}

/** @throws SiphonError if the name contains a character that ends an image's name in a spec */
function assertNewName(snapshot: string, spec: string | undefined): void {
  if (!/[@/]/.test(snapshot)) return;
  const hint = "a snapshot's name has no @ and no /";
  throw spec?.includes("@")
    ? usage(`invalid spec '${spec}'`, hint)
    : usage(`invalid snap name '${snapshot}'`, hint);
}

function rename(): Command {
  const command = new Command("rename")
    .summary("rename a snapshot")
    .argument("[source-snap-spec]")
    .argument("[dest-snap-spec]")
    .option("--dest-snap <snapshot>", "the snapshot's new name")
    .action((first: string | undefined, second: string | undefined, flags: Flags & DestinationFlags) => {
      const [from, to] = sourceAndDestination(first, second, flags);
      const source = snapshotSpec(from, flags);
      const { pool, namespace, image, snapshot } = newNameSpec(to, flags, source);
      const differs =
        (pool !== source.pool && "pool") ||
        (namespace !== source.namespace && "namespace") ||
        (image !== source.image && "image name");
      if (differs) {
        throw usage(`source and destination ${differs} must be the same`);
      }
      if (snapshot === undefined) {
        throw usage("destination snapshot name was not specified", "[POOL/[NAMESPACE/]]IMAGE@SNAPSHOT");
      }
      assertNewName(snapshot, to);
      return withImage(flags, source, {}, ({ snapshots }) => snapshots.rename(source.snapshot, snapshot));
    });
  return withConnectFlags(withSpecFlags(withDestinationFlags(command)));
}

function limit(): Command {
  const set = new Command("set")
    .summary("limit the number of snapshots")
    .argument("[image-spec]")
    .option("--limit <n>", "maximum number of snapshots")
    .action((text: string | undefined, flags: Flags & { limit?: string }) => {
      // rbd's errno for this case.
      if (flags.limit === undefined) throw new SiphonError("ERANGE", "--limit must be given");
      // rbd reads a negative number as a large unsigned one, which means no limit.
      const wanted = /^-\d+$/.test(flags.limit) ? undefined : parseCount("--limit", flags.limit);
      return withImage(flags, wholeImageSpec(text, flags), {}, ({ snapshots }) => snapshots.setLimit(wanted));
    });
  const clear = new Command("clear")
    .summary("allow any number of snapshots")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags) =>
      withImage(flags, wholeImageSpec(text, flags), {}, ({ snapshots }) => snapshots.setLimit(undefined)),
    );
  const command = new Command("limit").summary("limit of snapshots: set, clear");
  for (const each of [set, clear]) command.addCommand(withConnectFlags(withSpecFlags(each)));
  return command;
}

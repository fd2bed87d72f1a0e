import type { GroupSnapshots } from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { groupIfThere } from "./find-group.ts";
import {
  type GroupFlags,
  type GroupSnapshotSpec,
  groupSnapshotSpec,
  groupSpec,
  groupText,
  withGroupFlags,
  withSnapshotFlags,
} from "./group-spec.ts";
import { usage } from "./image-spec.ts";
import {
  type FormatFlags,
  type ProgressFlags,
  print,
  table,
  withFormatFlags,
  withProgress,
} from "./output.ts";
import { type QuiesceFlags, quiescing, withQuiesceFlags } from "./quiesce-flags.ts";
import { withPool } from "./run.ts";

type Flags = ConnectFlags & GroupFlags;

export function groupSnapCommand(): Command {
  const snap = new Command("snap").summary("snapshots of a group: create, ls, rename, rm, rollback");
  for (const each of [create(), list(), rename(), remove(), rollBack()]) snap.addCommand(each);
  return snap;
}

function create(): Command {
  const command = new Command("create")
    .summary("take a snapshot of all images of a group at one moment")
    .argument("[group-snap-spec]")
    .action((text: string | undefined, flags: Flags & QuiesceFlags) => {
      const spec = groupSnapshotSpec(text, flags);
      return onSnapshots(flags, spec, (snapshots) =>
        snapshots.create(spec.snapshot, { quiescing: quiescing(flags) }),
      );
    });
  return withConnectFlags(withQuiesceFlags(withSnapshotFlags(command)));
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the snapshots of a group")
    .argument("[group-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async (images) => {
        const snapshots = (await (await groupIfThere(images, spec))?.snapshots.list()) ?? [];
        const rows = snapshots.map(({ name, state }) => ({
          ...{ snapshot: name, state: state === "complete" ? "ok" : "incomplete" },
        }));
        print(
          flags,
          () => (rows.length === 0 ? "" : listText(rows)),
          () => rows,
          { root: "group_snaps", items: { group_snaps: "group_snap" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withGroupFlags(command)));
}

function listText(rows: readonly { snapshot: string; state: string }[]): string {
  return table(
    [
      ["NAME", "left"],
      ["STATUS", "right"],
    ],
    rows.map(({ snapshot, state }) => [snapshot, state]),
  );
}

function rename(): Command {
  const command = new Command("rename")
    .summary("rename a group's snapshot")
    .argument("[group-snap-spec]")
    .argument("[dest-snap]")
    .option("--dest-snap <snapshot>", "new name, instead of the argument")
    .action((first: string | undefined, second: string | undefined, flags: Flags & { destSnap?: string }) => {
      const texts = [first, second];
      const spec = groupSnapshotSpec(flags.group === undefined ? texts.shift() : undefined, flags);
      const name = flags.destSnap ?? texts.shift();
      if (!name || /[@/]/.test(name)) throw usage("which new name for the snapshot? one without @ and /");
      return onSnapshots(flags, spec, (snapshots) => snapshots.rename(spec.snapshot, name));
    });
  return withConnectFlags(withSnapshotFlags(command));
}

function remove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a snapshot of a group")
    .argument("[group-snap-spec]")
    .option("--dry-run", "only say what would be removed")
    .action((text: string | undefined, flags: Flags & { dryRun?: boolean }) => {
      const spec = groupSnapshotSpec(text, flags);
      return onSnapshots(flags, spec, (snapshots) =>
        flags.dryRun ? tell("remove snapshot", spec, snapshots) : snapshots.remove(spec.snapshot),
      );
    });
  return withConnectFlags(withSnapshotFlags(command));
}

function rollBack(): Command {
  const command = new Command("rollback")
    .summary("make all images what they were at a snapshot of the group")
    .argument("[group-snap-spec]")
    .option("--dry-run", "only say what would be done")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & ProgressFlags & { dryRun?: boolean }) => {
      const spec = groupSnapshotSpec(text, flags);
      return onSnapshots(flags, spec, (snapshots) =>
        flags.dryRun
          ? tell("lose what was written since snapshot", spec, snapshots)
          : withProgress("Rolling back to group snapshot", flags, (onProgress) =>
              snapshots.rollBack(spec.snapshot, { onProgress }),
            ),
      );
    });
  return withConnectFlags(withSnapshotFlags(command));
}

async function tell(what: string, spec: GroupSnapshotSpec, snapshots: GroupSnapshots): Promise<void> {
  const { images } = await snapshots.named(spec.snapshot);
  const count = `${images.length} ${images.length === 1 ? "image" : "images"}`;
  process.stdout.write(`would ${what} ${groupText(spec)}@${spec.snapshot} of ${count}\n`);
}

function onSnapshots(
  flags: ConnectFlags,
  spec: GroupSnapshotSpec,
  action: (snapshots: GroupSnapshots) => Promise<void>,
): Promise<void> {
  return withPool(flags, spec, async ({ groups }) => action((await groups.open(spec.group)).snapshots));
}

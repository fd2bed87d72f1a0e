import type { GroupImage, GroupSnapshot, GroupSnapshots } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import {
  type GroupFlags,
  type GroupSnapshotSpec,
  groupSnapshotSpec,
  groupSpec,
  groupText,
  withGroupFlags,
  withSnapshotFlags,
} from "./group-spec.ts";
import { listedImage, usage } from "./image-spec.ts";
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
  const snap = new Command("snap").summary("snapshots of a group: create, info, ls, rename, rm, rollback");
  for (const each of [create(), info(), list(), rename(), remove(), rollBack()]) snap.addCommand(each);
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

/** Prints what rbd prints since Ceph 20. Older releases print no ids, and say "ok" for a complete snapshot. */
function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the snapshots of a group")
    .argument("[group-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async ({ groups }) => {
        const snapshots = await (await groups.open(spec.group)).snapshots.list();
        const rows = snapshots.map(({ id, name, state }) => ({ id, snapshot: name, state }));
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

function listText(rows: readonly { id: string; snapshot: string; state: string }[]): string {
  return table(
    [
      ["ID", "left"],
      ["NAME", "left"],
      ["STATE", "right"],
    ],
    rows.map(({ id, snapshot, state }) => [id, snapshot, state]),
  );
}

function info(): Command {
  const command = new Command("info")
    .summary("show a group's snapshot: its state, and the snapshots of its images")
    .argument("[group-snap-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = groupSnapshotSpec(text, flags);
      return withPool(flags, spec, async ({ groups }) => {
        const group = await groups.open(spec.group);
        const snapshot = await group.snapshots.named(spec.snapshot);
        const images = await Promise.all(
          snapshot.images.map(async (image) => ({ ...(await group.named(image)), snapId: image.snapId })),
        );
        images.sort((a, b) => a.poolId - b.poolId || (a.name < b.name ? -1 : 1));
        const part = images.length === 0 ? "" : group.snapshots.imageSnapshotName(snapshot);
        print(
          flags,
          () => infoText(snapshot, part, images),
          () => ({
            ...{ id: snapshot.id, name: snapshot.name, state: snapshot.state, image_snap_name: part },
            images: images.map(({ pool, namespace, name, snapId }) => ({
              ...{ pool_name: pool, namespace, image_name: name, snap_id: snapId },
            })),
          }),
          { root: "group_snapshot", items: { images: "image" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSnapshotFlags(command)));
}

function infoText(
  { id, name, state }: GroupSnapshot,
  part: string,
  images: readonly (Omit<GroupImage, "state"> & { snapId: number })[],
): string {
  const lines = [`rbd group snapshot '${name}':`, `\tid: ${id}`, `\tstate: ${state}`];
  if (images.length > 0) lines.push(`\timage snap: ${part}`, "\timages:");
  for (const image of images) lines.push(`\t\t${listedImage(image)} (snap id: ${image.snapId})`);
  return lines.map((line) => `${line}\n`).join("");
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
      if (!name) throw usage("destination snapshot name was not specified");
      if (/[@/]/.test(name)) throw usage(`invalid snap name '${name}'`, "it has no @ and no /");
      return onSnapshots(flags, spec, (snapshots) => snapshots.rename(spec.snapshot, name));
    });
  return withConnectFlags(withSnapshotFlags(command));
}

function remove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a snapshot of a group")
    .argument("[group-snap-spec]")
    .option("--dry-run", "only print what would be removed")
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
    .summary("roll all images back to a snapshot of the group")
    .argument("[group-snap-spec]")
    .option("--dry-run", "only print what would be done")
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

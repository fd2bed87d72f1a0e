import type { HeaderSnapshot, SnapshotNamespace } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { type GroupSnapshotText, groupSnapshotsOf } from "./find-group.ts";
import { type SpecFlags, wholeImageSpec, withImageId, withSpecFlags } from "./image-spec.ts";
import { ctime, type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & FormatFlags & { all?: boolean };
type Groups = ReadonlyMap<number, GroupSnapshotText>;

export function snapListCommand(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list an image's snapshots")
    .argument("[image-spec]")
    .option("-a, --all", "also snapshots in the trash, and of groups and mirrors")
    .action((text: string | undefined, flags: Flags) =>
      withImage(
        flags,
        wholeImageSpec(text, flags),
        { readOnly: true, watch: false },
        async (image, cluster) => {
          const shown = flags.all ? image.snapshots.all() : image.snapshots.list();
          const groups = flags.all ? await groupSnapshotsOf(cluster, image) : undefined;
          print(
            flags,
            () => (shown.length === 0 ? "" : listText(shown, groups)),
            () => shown.map((snapshot) => listJson(snapshot, groups)),
            { root: "snapshots", items: { snapshots: "snapshot" } },
          );
        },
      ),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(withImageId(command))));
}

/** @param groups group snapshots by snapshot id; undefined if the list holds only snapshots that users created */
function listText(snapshots: readonly HeaderSnapshot[], groups: Groups | undefined): string {
  return table(
    [
      ["SNAPID", "right"],
      ["NAME", "left"],
      ["SIZE", "right"],
      ["PROTECTED", "left"],
      ["TIMESTAMP", "left"],
      ...(groups ? [["NAMESPACE", "left"] as [string, "left"]] : []),
    ],
    snapshots.map(({ id, name, size, isProtected, created, namespace }) => [
      ...[String(id), name, bytesText(size), isProtected ? "yes" : "", timeText(created)],
      ...(groups ? [namespaceText(namespace, groups.get(id))] : []),
    ]),
  );
}

/** Snapshots of format 1 images have no time. */
function timeText(created: Date): string {
  return created.getTime() === 0 ? "" : ctime(created);
}

function namespaceText(namespace: SnapshotNamespace, of: GroupSnapshotText | undefined): string {
  if (namespace.type === "trash") return `trash (${namespace.originalName})`;
  return of === undefined ? namespace.type : `${namespace.type} (${of.pool}/${of.group}@${of.snapshot})`;
}

function listJson(
  { id, name, size, isProtected, created, namespace }: HeaderSnapshot,
  groups: Groups | undefined,
): unknown {
  const of = groups?.get(id);
  const origin = {
    ...(namespace.type === "trash" && { original_name: namespace.originalName }),
    ...(of && { pool: of.pool, group: of.group, "group snap": of.snapshot }),
  };
  return {
    ...{ id, name, size, protected: isProtected ? "true" : "false", timestamp: timeText(created) },
    ...(groups && { namespace: { type: namespace.type, ...origin } }),
  };
}

import type { HeaderSnapshot, SnapshotNamespace, Snapshots } from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { type GroupSnapshotText, groupSnapshotsOf } from "./find-group.ts";
import {
  imageSpec,
  type SpecFlags,
  snapshotSpec,
  usage,
  wholeImageSpec,
  withSpecFlags,
} from "./image-spec.ts";
import {
  ctime,
  type FormatFlags,
  type ProgressFlags,
  print,
  table,
  withFormatFlags,
  withProgress,
} from "./output.ts";
import { type QuiesceFlags, quiescing, withQuiesceFlags } from "./quiesce-flags.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags;
type Groups = ReadonlyMap<number, GroupSnapshotText>;

export function snapCommand(): Command {
  const snap = new Command("snap").summary(
    "snapshots: ls, create, rm, rename, protect, unprotect, rollback, purge, limit",
  );
  snap.addCommand(list());
  snap.addCommand(
    withQuiesceFlags(
      onSnapshot("create", "create a snapshot", "Creating snap", (snapshots, name, onProgress, flags) =>
        snapshots.create(name, { onProgress, quiescing: quiescing(flags) }),
      ),
    ),
  );
  snap.addCommand(
    onSnapshot(
      "rm",
      "remove a snapshot",
      "Removing snap",
      (snapshots, name) => snapshots.remove(name),
      "remove snapshot",
    ),
  );
  snap.addCommand(
    onSnapshot(
      "rollback",
      "make an image what it was at a snapshot",
      "Rolling back to snapshot",
      (snapshots, name, onProgress) => snapshots.rollBack(name, { onProgress }),
      "lose what was written since snapshot",
    ),
  );
  snap.addCommand(
    onSnapshot("protect", "prevent a snapshot from being removed", undefined, (snapshots, name) =>
      snapshots.protect(name),
    ),
  );
  snap.addCommand(
    onSnapshot("unprotect", "allow a snapshot to be removed", undefined, (snapshots, name) =>
      snapshots.unprotect(name),
    ),
  );
  snap.addCommand(rename());
  snap.addCommand(purge());
  snap.addCommand(limit());
  return snap;
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list an image's snapshots")
    .argument("[image-spec]")
    .option("-a, --all", "those in the trash, and of groups and mirrors, as well")
    .action((text: string | undefined, flags: Flags & FormatFlags & { all?: boolean }) =>
      withImage(flags, imageSpec(text, flags), { readOnly: true, watch: false }, async (image, cluster) => {
        const shown = flags.all ? image.snapshots.all() : image.snapshots.list();
        const groups = flags.all ? await groupSnapshotsOf(cluster, image) : undefined;
        print(
          flags,
          () => (shown.length === 0 ? "" : listText(shown, groups)),
          () => shown.map((snapshot) => listJson(snapshot, groups)),
          { root: "snapshots", items: { snapshots: "snapshot" } },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

/** @param groups what snapshots of groups belong to; undefined where only those are shown that people made */
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
      ...[String(id), name, bytesText(size), isProtected ? "yes" : "", ctime(created)],
      ...(groups ? [namespaceText(namespace, groups.get(id))] : []),
    ]),
  );
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
    ...{ id, name, size, protected: isProtected ? "true" : "false", timestamp: ctime(created) },
    ...(groups && { namespace: { type: namespace.type, ...origin } }),
  };
}

/**
 * @param title of the progress shown; none for what is done at once
 * @param destroys what it would do, where `--dry-run` only says so
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
      if (flags.dryRun) {
        return withImage(flags, spec, { readOnly: true, watch: false }, async ({ snapshots }) => {
          const { isProtected } = snapshots.named(spec.snapshot);
          const kept = isProtected && name === "rm" ? "not remove protected snapshot" : destroys;
          process.stdout.write(`would ${kept} ${spec.pool}/${spec.image}@${spec.snapshot}\n`);
        });
      }
      const shown = { progress: flags.progress && title !== undefined };
      return withImage(flags, spec, {}, ({ snapshots }) =>
        withProgress(title ?? "", shown, (onProgress) => action(snapshots, spec.snapshot, onProgress, flags)),
      );
    });
  if (destroys !== undefined) command.option("--dry-run", "only say what would be done");
  return withConnectFlags(withSpecFlags(command));
}

function rename(): Command {
  const command = new Command("rename")
    .summary("rename a snapshot")
    .argument("<source-snap-spec>")
    .argument("<dest-snap-spec>")
    .action((from: string, to: string, flags: Flags) => {
      const source = snapshotSpec(from, flags);
      const target = snapshotSpec(to, flags);
      if (
        target.image !== source.image ||
        target.pool !== source.pool ||
        target.namespace !== source.namespace
      ) {
        throw usage("a snapshot stays with its image when it is renamed");
      }
      return withImage(flags, source, {}, ({ snapshots }) =>
        snapshots.rename(source.snapshot, target.snapshot),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}

function purge(): Command {
  const command = new Command("purge")
    .summary("remove all snapshots of an image, but for protected ones")
    .argument("[image-spec]")
    .option("--dry-run", "only say what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & { dryRun?: boolean }) => {
      const spec = wholeImageSpec(text, flags);
      if (flags.dryRun) {
        return withImage(flags, spec, { readOnly: true, watch: false }, async ({ snapshots }) => {
          for (const { name, isProtected } of snapshots.list()) {
            const what = isProtected ? "not remove protected snapshot" : "remove snapshot";
            process.stdout.write(`would ${what} ${spec.pool}/${spec.image}@${name}\n`);
          }
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
  return withConnectFlags(withSpecFlags(command));
}

/** What rbd says, and on standard output: it takes that for no failure. */
function keptText(names: string[]): string {
  const verb = names.length === 1 ? "is" : "are";
  return `rbd: error removing snapshot(s) '${names.join(",")}', which ${verb} protected - these must be unprotected with \`rbd snap unprotect\`.\n`;
}

function limit(): Command {
  const set = new Command("set")
    .summary("limit the number of snapshots")
    .argument("[image-spec]")
    .option("--limit <n>", "how many there may be")
    .action((text: string | undefined, flags: Flags & { limit?: string }) => {
      if (flags.limit === undefined) throw usage("how many? --limit");
      const wanted = Number(flags.limit);
      if (!Number.isSafeInteger(wanted) || wanted < 0)
        throw usage(`--limit takes a number, and not ${flags.limit}`);
      return withImage(flags, imageSpec(text, flags), {}, ({ snapshots }) => snapshots.setLimit(wanted));
    });
  const clear = new Command("clear")
    .summary("allow any number of snapshots")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags) =>
      withImage(flags, imageSpec(text, flags), {}, ({ snapshots }) => snapshots.setLimit(undefined)),
    );
  const command = new Command("limit").summary("how many snapshots there may be");
  for (const each of [set, clear]) command.addCommand(withConnectFlags(withSpecFlags(each)));
  return command;
}

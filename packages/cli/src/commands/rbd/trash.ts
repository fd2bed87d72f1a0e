import type { Cluster } from "@siphon/rados";
import { type ImagePool, purgeTrash, RbdError, type TrashEntry, trashToPurge } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { timestamp } from "../rados/format.ts";
import { parentSpec, parentText } from "./describe.ts";
import {
  badOption,
  type ImageSpec,
  imageSpec,
  poolSpec,
  type SpecFlags,
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
import { onlyWarning, withPool } from "./run.ts";
import { parseTime } from "./time.ts";
import { scheduleCommand } from "./trash-schedule.ts";

interface Flags extends ConnectFlags, SpecFlags {
  dryRun?: boolean;
}

export function trashCommand(): Command {
  const trash = new Command("trash").summary("images in the trash: mv, ls, restore, rm, purge");
  for (const each of [move(), list(), restore(), remove(), purge()]) trash.addCommand(each);
  return trash;
}

function move(): Command {
  const command = new Command("mv")
    .alias("move")
    .summary("put an image into the trash")
    .argument("[image-spec]")
    .option("--expires-at <time>", "time until which it is kept, in a form of date(1)", "now")
    .action((text: string | undefined, flags: Flags & { expiresAt: string }) => {
      const spec = wholeImageSpec(text, flags);
      const keptUntil = flags.expiresAt === "now" ? undefined : parseTime(flags.expiresAt);
      if (keptUntil && keptUntil.getTime() < Date.now() - 1000) {
        throw usage("cannot use a date in the past as an expiration date", `${flags.expiresAt} is over`);
      }
      return withPool(flags, spec, async ({ trash }) => {
        await trash.move(spec.image, keptUntil);
        if (keptUntil)
          process.stdout.write(`rbd: image ${spec.image} will expire at ${timestamp(keptUntil)}\n`);
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the trash of a pool")
    .argument("[pool-spec]")
    .option("-a, --all", "also images that users did not move there")
    .option("-l, --long", "with times and parents")
    .action((text: string | undefined, flags: Flags & FormatFlags & { all?: boolean; long?: boolean }) =>
      withPool(flags, poolSpec(text, flags), async (images, cluster) => {
        const shown = (await images.trash.list()).filter(
          ({ source }) => flags.all || source === "user" || source === "user_parent",
        );
        const rows = flags.long
          ? await Promise.all(shown.map((entry) => longRow(cluster, images, entry)))
          : shown.map(({ id, name }): TrashRow => ({ id, name }));
        print(
          flags,
          () => (flags.long ? longText(rows) : rows.map(({ id, name }) => `${id} ${name}\n`).join("")),
          () => rows,
          // rbd's element names.
          { root: "trash", items: { trash: "image" } },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

interface TrashRow {
  id: string;
  name: string;
  source?: string;
  deleted_at?: string;
  status?: string;
  parent?: { pool: string; pool_namespace: string; image: string; snapshot: string };
}

async function longRow(cluster: Cluster, images: ImagePool, entry: TrashEntry): Promise<TrashRow> {
  const { id, name, source, trashed, keptUntil } = entry;
  const parent = await images.lookUp(id).then(
    async ({ header }) => header.parent && (await parentText(cluster, header.parent)),
    // If the image's removal was interrupted, only its entry in the trash is left.
    onlyWarning,
  );
  const until = ctime(keptUntil);
  return {
    ...{ id, name, source: source.toUpperCase(), deleted_at: ctime(trashed) },
    status: keptUntil.getTime() <= Date.now() ? `expired at ${until}` : `protected until ${until}`,
    ...(parent && {
      parent: {
        ...{ pool: parent.pool, pool_namespace: parent.pool_namespace },
        ...{ image: parent.image, snapshot: parent.snapshot },
      },
    }),
  };
}

function longText(rows: TrashRow[]): string {
  if (rows.length === 0) return "";
  return table(
    [
      ...(["ID", "NAME", "SOURCE", "DELETED_AT", "STATUS", "PARENT"].map((head) => [head, "left"]) as [
        string,
        "left",
      ][]),
    ],
    rows.map(({ id, name, source = "", deleted_at = "", status = "", parent }) => [
      ...[id, name, source, deleted_at, status],
      parent === undefined ? "" : parentSpec({ ...parent, id: "", trash: false }),
    ]),
  );
}

function restore(): Command {
  const command = new Command("restore")
    .summary("take an image out of the trash")
    .argument("[image-id-spec]", "[POOL/[NAMESPACE/]]ID")
    .option("--image-id <id>", "instead of the argument")
    .action((text: string | undefined, flags: Flags) => {
      const spec = idSpec(text, flags);
      return withPool(flags, spec, ({ trash }) => trash.restore(spec.image, flags.image));
    });
  return withConnectFlags(withSpecFlags(command));
}

function remove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove an image of the trash for good")
    .argument("[image-id-spec]", "[POOL/[NAMESPACE/]]ID")
    .option("--image-id <id>", "instead of the argument")
    .option("--force", "also before its time of expiry")
    .option("--dry-run", "only print what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & ProgressFlags & { force?: boolean }) => {
      const spec = idSpec(text, flags);
      const { force = false } = flags;
      return withPool(flags, spec, async ({ trash }) => {
        if (flags.dryRun) {
          const { name } = await trash.assertRemovable(spec.image, force);
          process.stdout.write(`would remove image ${spec.pool}/${name} (trash ${spec.image})\n`);
          return;
        }
        await withProgress("Removing image", flags, (onProgress) =>
          trash.remove(spec.image, { force, onProgress }),
        );
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

interface PurgeFlags extends Flags, ProgressFlags {
  expiredBefore?: string;
  threshold?: string;
}

function purge(): Command {
  const command = new Command("purge")
    .summary("remove the expired images of the trash; schedule: purge regularly")
    .argument("[pool-spec]")
    .option(
      "--expired-before <time>",
      "images that expire before this time, in a form of date(1) (default: now)",
    )
    .option(
      "--threshold <part>",
      "instead: as many as needed to bring the pool's usage down to this part, 0 to 1",
    )
    .option("--dry-run", "only print what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: PurgeFlags) =>
      withPool(flags, poolSpec(text, flags), (images) => runPurge(images, flags)),
    );
  const whole = withConnectFlags(withSpecFlags(command));
  whole.addCommand(scheduleCommand());
  return whole;
}

async function runPurge(images: ImagePool, flags: PurgeFlags): Promise<void> {
  const { expiredBefore, threshold, dryRun } = flags;
  const choice = {
    ...(expiredBefore !== undefined && { expiredBefore: parseTime(expiredBefore) }),
    ...(threshold !== undefined && { threshold: parseNumber("--threshold", threshold) }),
  };
  if (dryRun) {
    for (const { id, name } of await trashToPurge(images, choice)) {
      process.stdout.write(`would remove image ${images.pool.name}/${name} (trash ${id})\n`);
    }
    return;
  }
  await withProgress("Removing images", flags, async (onProgress) => {
    const kept = await purgeTrash(images, await trashToPurge(images, choice), onProgress);
    if (kept.length === 0) return;
    const names = kept.map(({ entry: { id, name } }) => `${name} (${id})`).join(", ");
    const { error: cause } = kept[0]!;
    throw new RbdError("SIPHON_RBD_BUSY", `some expired images could not be removed: ${names}`, {
      ...{ cause, ...(cause instanceof RbdError && { errno: cause.errno }) },
      hint: "see that nobody has them open, and that they have no snapshots and are in no group",
    });
  });
}

/** The spec of an image in the trash, by its id. */
function idSpec(text: string | undefined, flags: Flags): ImageSpec {
  if (text === undefined && flags.imageId === undefined)
    throw usage("image id was not specified", "[POOL/[NAMESPACE/]]ID");
  const { image: _name, imageId, ...where } = flags;
  return imageSpec(text, { ...where, ...(imageId !== undefined && { image: imageId }) });
}

function parseNumber(option: string, text: string): number {
  if (text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  throw badOption(`${option} takes a number, and not ${text}`);
}

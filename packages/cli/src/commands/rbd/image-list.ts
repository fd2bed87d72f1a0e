import type { Cluster } from "@siphon/rados";
import type { ImageEntry, ImagePool } from "@siphon/rbd";
import { errno } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { errnoExitCode } from "../../failure.ts";
import { interruption } from "../../interruption.ts";
import { bytesText } from "../rados/format.ts";
import { type ParentText, parentSpec, parentText, shownId } from "./describe.ts";
import { poolSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { isUnsupported, warnOf, withPool } from "./run.ts";

type Flags = ConnectFlags & SpecFlags;

export function listCommand(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list images")
    .argument("[pool-spec]")
    .option("-l, --long", "with sizes, parents and locks")
    .action((text: string | undefined, flags: Flags & FormatFlags & { long?: boolean }) =>
      withPool(flags, poolSpec(text, flags), async (images, cluster) => {
        const entries = await images.list();
        if (flags.long) return printLong(await longRows(cluster, images), flags);
        const names = entries.map(({ name }) => name);
        print(
          flags,
          () => names.map((name) => `${name}\n`).join(""),
          () => names,
          { root: "images" },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

/** A row of the long list: an image or one of its snapshots. */
interface LongRow {
  image: string;
  id: string;
  snapshot?: string;
  snapshot_id?: number;
  /** Undefined if the size has no exact representation. */
  size: number | undefined;
  parent?: Pick<ParentText, "pool" | "pool_namespace" | "image" | "snapshot">;
  format: 1 | 2;
  protected?: "true" | "false";
  lock_type?: "exclusive" | "shared";
}

async function longRows(cluster: Cluster, images: ImagePool): Promise<LongRow[]> {
  const rows: LongRow[] = [];
  for (const entry of await images.list()) {
    rows.push(...(await rowsOf(cluster, images, entry.name).catch((error) => rowsInstead(entry, error))));
  }
  return rows;
}

/** Rows for an image that cannot be opened. */
function rowsInstead({ name, id }: ImageEntry, error: unknown): LongRow[] {
  if (isUnsupported(error)) {
    warnOf(error);
    return [{ image: name, id, size: undefined, format: 2 }];
  }
  // The image is being created or removed, or a crash interrupted that. rbd skips it, too.
  if (errnoExitCode(error, interruption.signal) === errno.ENOENT) return [];
  throw error;
}

async function rowsOf(cluster: Cluster, images: ImagePool, imageName: string): Promise<LongRow[]> {
  await using image = await images.open(imageName, { readOnly: true, watch: false });
  const { name, header } = image;
  const { format } = header;
  const id = shownId(header);
  const { lockers, type } = await image.locks.list();
  const parentOf = async (link: typeof header.parent) => {
    if (link === undefined) return {};
    const { pool, pool_namespace, image: parent, snapshot } = await parentText(cluster, link);
    return { parent: { pool, pool_namespace, image: parent, snapshot } };
  };
  const head: LongRow = {
    ...{ image: name, id, size: image.size, ...(await parentOf(header.parent)), format },
    ...(lockers.length > 0 && { lock_type: type === "shared" ? "shared" : "exclusive" }),
  };
  const snapshots = image.snapshots.list().map(async (snapshot): Promise<LongRow> => {
    return {
      ...{ image: name, id, snapshot: snapshot.name, snapshot_id: snapshot.id, size: snapshot.size },
      ...{
        ...(await parentOf(snapshot.parent)),
        format,
        protected: snapshot.isProtected ? "true" : "false",
      },
    };
  });
  return [head, ...(await Promise.all(snapshots))];
}

function printLong(rows: LongRow[], flags: FormatFlags): void {
  const text = () =>
    table(
      [
        ["NAME", "left"],
        ["SIZE", "right"],
        ["PARENT", "left"],
        ["FMT", "right"],
        ["PROT", "left"],
        ["LOCK", "left"],
      ],
      rows.map((row) => [
        row.snapshot === undefined ? row.image : `${row.image}@${row.snapshot}`,
        row.size === undefined ? "?" : bytesText(row.size),
        row.parent === undefined ? "" : parentSpec({ ...row.parent, id: "", trash: false }),
        String(row.format),
        row.protected === "true" ? "yes" : "",
        row.lock_type === undefined ? "" : row.lock_type === "shared" ? "shr" : "excl",
      ]),
    );
  print(
    flags,
    () => (rows.length === 0 ? "" : text()),
    () => rows,
    { root: "images", items: { images: (row) => ("snapshot" in row ? "snapshot" : "image") } },
  );
}

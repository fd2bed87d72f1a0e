import { constants } from "node:os";
import type { Cluster } from "@siphon/rados";
import { defaultFeatures, type Image, ImagePool } from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { errnoExitCode } from "../../failure.ts";
import { interruption } from "../../interruption.ts";
import { bytesText } from "../rados/format.ts";
import { describeImage, infoText, type ParentText, parentSpec, parentText } from "./describe.ts";
import {
  type ImageSpec,
  imageSpec,
  parseBytes,
  poolSpec,
  type SpecFlags,
  snapshotSpec,
  usage,
  withSpecFlags,
} from "./image-spec.ts";
import {
  type FormatFlags,
  type ProgressFlags,
  print,
  table,
  withFormatFlags,
  withProgress,
} from "./output.ts";
import { withImage, withPool } from "./run.ts";
import { type ShapeFlags, shape, withShapeFlags } from "./shape.ts";

type Flags = ConnectFlags & SpecFlags;

export function createCommand(): Command {
  const command = withShapeFlags(
    new Command("create").summary("create an empty image").argument("[image-spec]"),
  )
    .option("-s, --size <size>", "size, in M unless said otherwise")
    .action((text: string | undefined, flags: Flags & ShapeFlags & { size?: string }) =>
      withPool(flags, imageSpec(text, flags), async (images) => {
        await images.create(imageSpec(text, flags).image, sizeOf(flags), shape(flags, defaultFeatures));
      }),
    );
  return withConnectFlags(withSpecFlags(command));
}

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

export function infoCommand(): Command {
  const command = new Command("info")
    .summary("show information about an image")
    .argument("[image-or-snap-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = imageSpec(text, flags);
      const options = {
        readOnly: true,
        watch: false,
        ...(spec.snapshot !== undefined && { snapshot: spec.snapshot }),
      };
      return withImage(flags, spec, options, async (image, cluster) => {
        const described = await describeImage(cluster, image);
        print(
          flags,
          () => infoText(described),
          () => described,
          { root: "image", items: { features: "feature", op_features: "op_feature", flags: "flag" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

export function resizeCommand(): Command {
  const command = new Command("resize")
    .summary("resize (expand or shrink) an image")
    .argument("[image-spec]")
    .option("-s, --size <size>", "size, in M unless said otherwise")
    .option("--allow-shrink", "permit shrinking")
    .option("--no-progress", "disable progress output")
    .action(
      (text: string | undefined, flags: Flags & ProgressFlags & { size?: string; allowShrink?: boolean }) =>
        withImage(flags, imageSpec(text, flags), {}, (image) =>
          withProgress("Resizing image", flags, (onProgress) =>
            image.resize(sizeOf(flags), {
              allowShrink: flags.allowShrink ?? false,
              onProgress,
            }),
          ),
        ),
    );
  return withConnectFlags(withSpecFlags(command));
}

export function removeCommand(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("delete an image")
    .argument("[image-spec]")
    .option("--dry-run", "only say what would be removed")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & ProgressFlags & { dryRun?: boolean }) => {
      const { pool, image } = imageSpec(text, flags);
      return withPool(flags, imageSpec(text, flags), async (images) => {
        if (flags.dryRun) {
          await images.assertRemovable(image);
          process.stdout.write(`would remove image ${pool}/${image}\n`);
          return;
        }
        await withProgress("Removing image", flags, (onProgress) => images.remove(image, { onProgress }));
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

export function cloneCommand(): Command {
  const command = withShapeFlags(
    new Command("clone")
      .summary("clone a snapshot into a copy-on-write image")
      .argument("<source-snap-spec>")
      .argument("<dest-image-spec>"),
  )
    .option("--rbd-default-clone-format <version>", "1, 2 or auto", "auto")
    .action((from: string, to: string, flags: Flags & ShapeFlags & { rbdDefaultCloneFormat: string }) => {
      const source = snapshotSpec(from, flags);
      const target = imageSpec(to, flags);
      return withPool(flags, source, async (images, cluster) => {
        const there = await ImagePool.open(cluster, target.pool, { namespace: target.namespace });
        const version = cloneVersion(flags.rbdDefaultCloneFormat);
        const options = { ...shape(flags, undefined), ...(version && { version }) };
        await images.clone(source.image, source.snapshot, target.image, there, options);
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

export function flattenCommand(): Command {
  const command = new Command("flatten")
    .summary("fill a clone with its parent's data")
    .argument("[image-spec]")
    .option("--dry-run", "only say what would be done")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags & ProgressFlags & { dryRun?: boolean }) => {
      const spec = imageSpec(text, flags);
      const options = flags.dryRun ? { readOnly: true, watch: false } : {};
      return withImage(flags, spec, options, (image) => {
        if (flags.dryRun) return tellFlatten(spec, image);
        return withProgress("Image flatten", flags, (onProgress) => image.flatten({ onProgress }));
      });
    });
  return withConnectFlags(withSpecFlags(command));
}

async function tellFlatten({ pool, image: name }: ImageSpec, { header }: Image): Promise<void> {
  const { parent } = header;
  const what =
    parent === undefined
      ? `not flatten ${pool}/${name}: it has no parent`
      : `copy up to ${bytesText(parent.overlap)} of its parent to ${pool}/${name}`;
  process.stdout.write(`would ${what}\n`);
}

export function childrenCommand(): Command {
  const command = new Command("children")
    .summary("display the clones of an image or of a snapshot")
    .argument("[image-or-snap-spec]")
    .option("-a, --all", "clones in the trash as well")
    .action((text: string | undefined, flags: Flags & FormatFlags & { all?: boolean }) => {
      const spec = imageSpec(text, flags);
      const options = {
        readOnly: true,
        watch: false,
        ...(spec.snapshot !== undefined && { snapshot: spec.snapshot }),
      };
      return withImage(flags, spec, options, async (image) => {
        const found = (await image.children(image.snapId)).filter(({ trash }) => flags.all || !trash);
        print(
          flags,
          () =>
            found
              .map(({ pool, namespace, name, id, trash }) => {
                return `${pool}/${namespace && `${namespace}/`}${name}${trash ? ` (trash ${id})` : ""}\n`;
              })
              .join(""),
          () =>
            found.map(({ pool, namespace, name, id, trash }) => ({
              ...{ pool, pool_namespace: namespace, image: name },
              ...(flags.all && { id, trash }),
            })),
          { root: "children", items: { children: "child" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

function sizeOf({ size }: { size?: string }): number {
  if (size === undefined) throw usage("which size? --size");
  return parseBytes(size, "M");
}

function cloneVersion(text: string): 1 | 2 | undefined {
  if (text === "auto") return undefined;
  if (text === "1" || text === "2") return text === "1" ? 1 : 2;
  throw usage(`there is no clone format ${text}: 1, 2 or auto`);
}

/** A line of the long list: an image, or one of its snapshots. */
interface LongRow {
  image: string;
  id: string;
  snapshot?: string;
  snapshot_id?: number;
  size: number;
  parent?: Pick<ParentText, "pool" | "pool_namespace" | "image" | "snapshot">;
  format: 2;
  protected?: "true" | "false";
  lock_type?: "exclusive" | "shared";
}

async function longRows(cluster: Cluster, images: ImagePool): Promise<LongRow[]> {
  const rows: LongRow[] = [];
  for (const { name } of await images.list()) {
    try {
      await using image = await images.open(name, { readOnly: true, watch: false });
      rows.push(...(await rowsOf(cluster, image)));
    } catch (error) {
      // Being made or removed, or left like that by who crashed: rbd passes it over, too.
      if (errnoExitCode(error, interruption.signal) !== constants.errno.ENOENT) throw error;
    }
  }
  return rows;
}

async function rowsOf(cluster: Cluster, image: Image): Promise<LongRow[]> {
  const { name, id, header } = image;
  const { lockers, type } = await image.lockOwners();
  const parentOf = async (link: typeof header.parent) => {
    if (link === undefined) return {};
    const { pool, pool_namespace, image: parent, snapshot } = await parentText(cluster, link);
    return { parent: { pool, pool_namespace, image: parent, snapshot } };
  };
  const head: LongRow = {
    ...{ image: name, id, size: image.size, ...(await parentOf(header.parent)), format: 2 },
    ...(lockers.length > 0 && { lock_type: type === "shared" ? "shared" : "exclusive" }),
  };
  const snapshots = image.snapshots.list().map(async (snapshot): Promise<LongRow> => {
    return {
      ...{ image: name, id, snapshot: snapshot.name, snapshot_id: snapshot.id, size: snapshot.size },
      ...{
        ...(await parentOf(snapshot.parent)),
        format: 2,
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
        bytesText(row.size),
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

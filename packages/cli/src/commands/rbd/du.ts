import { type DiskUsage, diskUsage, featureNames, type ImagePool, imageFlag } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { imageSpec, poolSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { onlyWarning, withPool } from "./run.ts";

interface Flags extends ConnectFlags, SpecFlags, FormatFlags {
  fromSnap?: string;
  exact?: boolean;
  mergeSnapshots?: boolean;
}

export function duCommand(): Command {
  const command = new Command("du")
    .alias("disk-usage")
    .summary("show the space that images take, by snapshot")
    .argument("[image-or-snap-spec]", "(default: all images of the pool)")
    .option("--from-snap <snapshot>", "only what came after this snapshot")
    .option("--exact", "bytes, and not objects (slow)")
    .option("--merge-snapshots", "one line for an image with all of its snapshots")
    .action((text: string | undefined, flags: Flags) => {
      const isOne = (text ?? flags.image) !== undefined;
      const spec = isOne
        ? imageSpec(text, flags)
        : { ...poolSpec(undefined, flags), image: undefined, snapshot: undefined };
      return withPool(flags, spec, async (images) => {
        const names = spec.image === undefined ? (await images.list()).map(({ name }) => name) : [spec.image];
        const usages: ImageUsage[] = [];
        for (const name of names) {
          const usage = usageOf(images, name, spec.snapshot, flags);
          const shown = isOne ? await usage : await usage.catch(onlyWarning);
          if (shown !== undefined) usages.push(shown);
        }
        show(usages, isOne, spec.snapshot !== undefined, flags);
      });
    });
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

interface ImageUsage {
  name: string;
  id: string;
  /** Usage of the image's snapshots and of its current data. */
  parts: DiskUsage[];
}

async function usageOf(
  images: ImagePool,
  name: string,
  upTo: string | undefined,
  { fromSnap: from, exact }: Flags,
): Promise<ImageUsage> {
  await using image = await images.open(name, { readOnly: true, watch: false });
  const { id, features, flags } = image.header;
  const slow = !featureNames(features).includes("fast-diff")
    ? "not enabled"
    : (flags & imageFlag.fastDiffInvalid) !== 0 && "invalid";
  if (slow) process.stderr.write(`warning: fast-diff map is ${slow} for ${name}. operation may be slow.\n`);
  const parts: DiskUsage[] = [];
  for await (const part of diskUsage(images, image, { upTo, from, exact })) parts.push(part);
  return { name, id, parts };
}

function show(usages: ImageUsage[], isOne: boolean, isSnapshot: boolean, flags: Flags): void {
  const total = { provisioned: 0, used: 0 };
  for (const { snapshot, provisioned, used } of usages.flatMap(({ parts }) => parts)) {
    // Snapshots do not add to the provisioned size, unless only a snapshot was requested.
    if (snapshot === undefined || isSnapshot) total.provisioned += provisioned;
    total.used += used;
  }
  const rows = usages.flatMap(({ name, id, parts }) => {
    const shown = flags.mergeSnapshots && !isSnapshot ? [merged(parts)] : parts;
    return shown.map((part) => ({ name, id, ...part }));
  });
  const hasTotal = usages.flatMap(({ parts }) => parts).length > 1;
  print(
    flags,
    () =>
      table(
        [
          ["NAME", "left"],
          ["PROVISIONED", "right"],
          ["USED", "right"],
        ],
        [
          ...rows.map(({ name, snapshot, provisioned, used }) => [
            ...[snapshot ? `${name}@${snapshot.name}` : name, bytesText(provisioned), bytesText(used)],
          ]),
          ...(hasTotal ? [["<TOTAL>", bytesText(total.provisioned), bytesText(total.used)]] : []),
        ],
      ),
    () => ({
      images: rows.map(({ name, id, snapshot, provisioned, used }) => ({
        ...{ name, id, ...(snapshot && { snapshot: snapshot.name, snapshot_id: snapshot.id }) },
        ...{ provisioned_size: provisioned, used_size: used },
      })),
      ...(!isOne && { total_provisioned_size: total.provisioned, total_used_size: total.used }),
    }),
    { root: "stats", items: { images: "image" } },
  );
}

/** All parts as one row with the image's name. */
function merged(parts: DiskUsage[]): DiskUsage {
  const used = parts.reduce((sum, part) => sum + part.used, 0);
  return { snapshot: undefined, provisioned: parts.at(-1)!.provisioned, used };
}

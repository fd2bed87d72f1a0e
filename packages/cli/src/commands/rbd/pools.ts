import { poolStatistics, preparePool } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { poolSpec, type SpecFlags, usage, withPoolFlag, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { warnOf, withPool } from "./run.ts";

type Flags = ConnectFlags & SpecFlags;

/** Commands for pools and their namespaces. */
export function poolCommands(): Command[] {
  const pool = new Command("pool").summary("pools: init, stats");
  for (const each of [init(), stats()]) pool.addCommand(each);
  const namespace = new Command("namespace").summary("namespaces of a pool: create, ls, rm");
  for (const each of [create(), list(), remove()]) namespace.addCommand(each);
  return [pool, namespace];
}

function init(): Command {
  const command = new Command("init")
    .summary("prepare a pool for images")
    .argument("[pool-name]")
    .option("--force", "also if the pool has another application")
    .action((text: string | undefined, flags: Flags & { force?: boolean }) => {
      const spec = poolSpec(text, flags);
      // rbd takes the whole word as the name of a pool.
      if (spec.namespace !== "") throw new SiphonError("ENOENT", `error opening pool '${text}'`);
      return withPool(flags, spec, async (images) => {
        if (await preparePool(images, { force: flags.force ?? false })) return;
        process.stderr.write("siphon: the pool is registered to another application; to take it: --force\n");
      });
    });
  return withConnectFlags(withPoolFlag(command));
}

function stats(): Command {
  const command = new Command("stats")
    .summary("show the totals of the images of a pool or a namespace")
    .argument("[pool-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) =>
      withPool(flags, poolSpec(text, flags), async (pool) => {
        const { images, trash } = await poolStatistics(pool);
        for (const each of [...images.unreadable, ...trash.unreadable]) warnOf(each);
        const shown = ({ count, provisionedBytes, snapshots }: typeof images) => ({
          ...{ count, provisioned_bytes: provisionedBytes, snap_count: snapshots },
        });
        print(
          flags,
          () =>
            `Total Images: ${images.count}${trash.count ? ` (${trash.count} in trash)` : ""}\n` +
            `Total Snapshots: ${images.snapshots}${trash.count ? ` (${trash.snapshots} in trash)` : ""}\n` +
            `Provisioned Size: ${bytesText(images.provisionedBytes)}` +
            `${trash.count ? ` (${bytesText(trash.provisionedBytes)} in trash)` : ""}\n`,
          () => ({ images: shown(images), trash: shown(trash) }),
          { root: "stats" },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

function create(): Command {
  return onNamespace(new Command("create").summary("create a namespace"), (text, flags) => {
    const { pool, namespace } = namespaceSpec(text, flags);
    return withPool(flags, { pool, namespace: "" }, ({ namespaces }) => namespaces.create(namespace));
  });
}

function remove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a namespace without images")
    .option("--dry-run", "only print what would be removed");
  return onNamespace(command, (text, flags) => {
    const { pool, namespace } = namespaceSpec(text, flags);
    return withPool(flags, { pool, namespace: "" }, async ({ namespaces }) => {
      const { dryRun = false } = flags;
      await namespaces.remove(namespace, { dryRun });
      if (dryRun) process.stdout.write(`would remove namespace ${pool}/${namespace}\n`);
    });
  });
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the namespaces of a pool")
    .argument("[pool-name]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      if (text?.includes("/")) throw usage(`invalid pool '${text}'`, "POOL, without a namespace");
      return withPool(flags, poolSpec(text, flags), async ({ namespaces }) => {
        const rows = (await namespaces.list()).map((name) => ({ name }));
        print(
          flags,
          () =>
            rows.length === 0
              ? ""
              : table(
                  [["NAME", "left"]],
                  rows.map(({ name }) => [name]),
                ),
          () => rows,
          { root: "namespaces", items: { namespaces: "namespace" } },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withPoolFlag(command)));
}

function onNamespace(
  command: Command,
  action: (text: string | undefined, flags: Flags & { dryRun?: boolean }) => Promise<void>,
): Command {
  return withConnectFlags(withSpecFlags(command.argument("[pool-spec]", "POOL/NAMESPACE").action(action)));
}

function namespaceSpec(text: string | undefined, flags: SpecFlags): { pool: string; namespace: string } {
  const spec = poolSpec(text, flags);
  if (spec.namespace === "") throw usage("namespace name was not specified", "POOL/NAMESPACE");
  return spec;
}

import type { Group } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { groupIfThere } from "./find-group.ts";
import { groupImageCommand } from "./group-images.ts";
import { groupSnapCommand } from "./group-snapshots.ts";
import { type GroupFlags, type GroupSpec, groupSpec, groupText, withGroupFlags } from "./group-spec.ts";
import { poolSpec, type SpecFlags, usage } from "./image-spec.ts";
import { type FormatFlags, print, withFormatFlags } from "./output.ts";
import { withPool } from "./run.ts";

type Flags = ConnectFlags & GroupFlags;

export function groupCommand(): Command {
  const group = new Command("group").summary(
    "groups of images: create, info, ls, rename, rm; image add, ls, rm; snap create, info, ls, rename, rm, rollback",
  );
  for (const each of [
    create(),
    info(),
    list(),
    rename(),
    remove(),
    groupImageCommand(),
    groupSnapCommand(),
  ]) {
    group.addCommand(each);
  }
  return group;
}

function create(): Command {
  const command = new Command("create")
    .summary("create a group")
    .argument("[group-spec]")
    .action((text: string | undefined, flags: Flags) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async ({ groups }) => {
        await groups.create(spec.group);
      });
    });
  return withConnectFlags(withGroupFlags(command));
}

function info(): Command {
  const command = new Command("info")
    .summary("show a group's id")
    .argument("[group-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async ({ groups }) => {
        const { name, id } = await groups.open(spec.group);
        print(
          flags,
          () => `rbd group '${name}':\n\tid: ${id}\n`,
          () => ({ group_name: name, group_id: id }),
          { root: "group" },
        );
      });
    });
  return withConnectFlags(withFormatFlags(withGroupFlags(command)));
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the groups of a pool")
    .argument("[pool-spec]")
    .option("-p, --pool <pool>", "pool (default: rbd)")
    .option("--namespace <namespace>", "namespace in the pool")
    .action((text: string | undefined, flags: ConnectFlags & SpecFlags & FormatFlags) =>
      withPool(flags, poolSpec(text, flags), async ({ groups }) => {
        const names = await groups.list();
        print(
          flags,
          () => names.map((name) => `${name}\n`).join(""),
          () => names,
          { root: "groups" },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(command));
}

interface RenameFlags extends ConnectFlags, GroupFlags {
  destPool?: string;
  destNamespace?: string;
  destGroup?: string;
}

function rename(): Command {
  const command = new Command("rename")
    .summary("rename a group within its pool")
    .argument("[source-group-spec]")
    .argument("[dest-group-spec]")
    .option("--dest-pool <pool>", "its pool again")
    .option("--dest-namespace <namespace>", "its namespace again")
    .option("--dest-group <group>", "new name, instead of the argument")
    .action((first: string | undefined, second: string | undefined, flags: RenameFlags) => {
      const texts = [first, second];
      const source = groupSpec(flags.group === undefined ? texts.shift() : undefined, flags);
      const [to] = texts;
      const { destPool: pool, destNamespace: namespace, destGroup: group } = flags;
      if (to === undefined && group === undefined) throw usage("destination group name was not specified");
      const target = groupSpec(to, {
        ...{ ...(pool && { pool }), ...(namespace && { namespace }), ...(group && { group }) },
      });
      if (target.pool !== source.pool) throw usage("group rename across pools not supported");
      if (target.namespace !== source.namespace) {
        throw usage("group rename across namespaces not supported");
      }
      return withPool(flags, source, ({ groups }) => groups.rename(source.group, target.group));
    });
  return withConnectFlags(withGroupFlags(command));
}

function remove(): Command {
  const command = new Command("rm")
    .alias("remove")
    .summary("remove a group and its snapshots; its images stay")
    .argument("[group-spec]")
    .option("--dry-run", "only print what would be removed")
    .action((text: string | undefined, flags: Flags & { dryRun?: boolean }) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async (images) => {
        const group = await groupIfThere(images, spec);
        if (group === undefined) return;
        if (flags.dryRun) return tellRemoval(spec, group);
        await images.groups.remove(spec.group);
      });
    });
  return withConnectFlags(withGroupFlags(command));
}

async function tellRemoval(spec: GroupSpec, group: Group): Promise<void> {
  const name = groupText(spec);
  const snapshots = (await group.snapshots.list()).map((snapshot) => `snapshot ${name}@${snapshot.name}`);
  for (const what of [...snapshots, `group ${name}`]) process.stdout.write(`would remove ${what}\n`);
}

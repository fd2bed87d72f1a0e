import { Command } from "commander";
import { helpCommand } from "./rbd/help.ts";
import { refused, withRefused } from "./rbd/refused.ts";

const images = () => import("./rbd/images.ts");
const clones = () => import("./rbd/clones.ts");

/** The commands by the modules they are in, in the order of the help. */
const modules: { names: string[]; load: () => Promise<Command[]> }[] = [
  { names: ["create"], load: async () => [(await images()).createCommand()] },
  { names: ["ls", "list"], load: async () => [(await import("./rbd/image-list.ts")).listCommand()] },
  { names: ["info"], load: async () => [(await images()).infoCommand()] },
  { names: ["resize"], load: async () => [(await images()).resizeCommand()] },
  { names: ["rm", "remove"], load: async () => [(await images()).removeCommand()] },
  { names: ["clone"], load: async () => [(await clones()).cloneCommand()] },
  { names: ["flatten"], load: async () => [(await clones()).flattenCommand()] },
  { names: ["children"], load: async () => [(await clones()).childrenCommand()] },
  { names: ["du", "disk-usage"], load: async () => [(await import("./rbd/du.ts")).duCommand()] },
  {
    names: ["object-map"],
    load: async () => [(await import("./rbd/object-map.ts")).objectMapCommand()],
  },
  { names: ["sparsify"], load: async () => [(await import("./rbd/sparsify.ts")).sparsifyCommand()] },
  { names: ["mirror"], load: async () => [(await import("./rbd/mirror.ts")).mirrorCommand()] },
  { names: ["group"], load: async () => [(await import("./rbd/groups.ts")).groupCommand()] },
  { names: ["snap"], load: async () => [(await import("./rbd/snapshots.ts")).snapCommand()] },
  {
    names: ["status", "lock", "watch"],
    load: async () => (await import("./rbd/clients.ts")).clientCommands(),
  },
  {
    names: [
      ...["export", "import", "diff", "export-diff", "import-diff", "merge-diff"],
      ...["backup", "restore", "encryption"],
    ],
    load: async () => (await import("./rbd/transfers.ts")).transferCommands(),
  },
  {
    names: ["rename", "mv", "copy", "cp", "deep"],
    load: async () => (await import("./rbd/copies.ts")).copyCommands(),
  },
  {
    names: ["device", "nbd", "map", "unmap", "showmapped"],
    load: async () => (await import("./rbd/device.ts")).deviceCommands(),
  },
  { names: ["trash"], load: async () => [(await import("./rbd/trash.ts")).trashCommand()] },
  { names: ["image-meta"], load: async () => [(await import("./rbd/metadata.ts")).metadataCommand()] },
  { names: ["config"], load: async () => [(await import("./rbd/config.ts")).configCommand()] },
  { names: ["feature"], load: async () => [(await import("./rbd/features.ts")).featureCommand()] },
  { names: ["pool", "namespace"], load: async () => (await import("./rbd/pools.ts")).poolCommands() },
  { names: ["top"], load: async () => [(await import("./rbd/top.ts")).topCommand()] },
  { names: ["perf"], load: async () => [(await import("./rbd/perf.ts")).perfCommand()] },
  { names: ["bench"], load: async () => [(await import("./rbd/bench.ts")).benchCommand()] },
];

/** @param args what follows: only the module of the command that is called is loaded, or all of them for the help */
export async function rbdCommand(args: string[] = []): Promise<Command> {
  const command = new Command("rbd")
    .summary("work with RBD images as the rbd program does, without that program")
    .description(
      "Work with images, with the arguments and the output of Ceph's rbd program. Ceph need not be installed.",
    );
  // Options come behind words: nothing but options is no command, which is no error of rbd's.
  if (args[0] === undefined || args[0].startsWith("-")) {
    command
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => command.outputHelp());
  }
  const called = modules.filter(({ names }) => names.includes(args[0] ?? ""));
  for (const { load } of called.length > 0 ? called : modules) {
    for (const each of await load()) command.addCommand(each);
  }
  command.helpCommand(false).addCommand(helpCommand(command));
  const isRefused = refused.some(({ words }) => words[0] === args[0]);
  return called.length === 0 || isRefused ? withRefused(command) : command;
}

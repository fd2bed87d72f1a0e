import { Command } from "commander";
import { benchCommand } from "./rbd/bench.ts";
import { clientCommands } from "./rbd/clients.ts";
import { imageCommands } from "./rbd/images.ts";
import { snapCommand } from "./rbd/snapshots.ts";
import { transferCommands } from "./rbd/transfers.ts";

export function rbdCommand(): Command {
  const command = new Command("rbd")
    .summary("images on RBD: create, list, resize, snapshot, clone, remove")
    .description(
      "What Ceph's rbd does with images, with the same arguments and the same output; without Ceph on this machine.",
    );
  const all = [...imageCommands(), snapCommand(), ...clientCommands(), ...transferCommands(), benchCommand()];
  for (const each of all) command.addCommand(each);
  return command;
}

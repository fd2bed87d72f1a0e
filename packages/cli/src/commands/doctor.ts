import { Command } from "commander";
import { explainCommand } from "./doctor/explain.ts";
import { fixCommand } from "./doctor/fix.ts";
import { hostCommand } from "./doctor/host.ts";
import { vmCommand } from "./doctor/vm.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Show the features of this machine, what is missing, and how to get it.")
    .addCommand(vmCommand())
    .addCommand(explainCommand())
    .addCommand(fixCommand())
    .addCommand(hostCommand());
}

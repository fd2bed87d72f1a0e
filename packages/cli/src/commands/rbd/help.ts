import { Command } from "commander";

/** `rbd help [command]`: Commander's own takes one word, and shows the whole help for words that are no command. */
export function helpCommand(rbd: Command): Command {
  return new Command("help")
    .summary("display help for command")
    .description("Display help for a command.")
    .argument("[command...]", "words of the command")
    .allowUnknownOption()
    .action((words: readonly string[]) => {
      commandOf(rbd, words).outputHelp();
    });
}

/** Words after those of a command mean nothing, as in rbd. */
function commandOf(rbd: Command, words: readonly string[]): Command {
  let command = rbd;
  for (const word of words.filter((each) => !each.startsWith("-"))) {
    if (command.commands.length === 0) break;
    const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (next === undefined) rbd.error(`error: unknown command '${words.join(" ")}'`, unknown);
    command = next;
  }
  return command;
}

const unknown = { exitCode: 1, code: "commander.unknownCommand" };

import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import { usage } from "./image-spec.ts";

/**
 * Commands of rbd that siphon does not have. Each line holds the command; the message that rbd prints if a required argument is
 * missing; and, for the first command of a kind, why siphon refuses it and what to use instead.
 */
const table = `
journal client disconnect | journal was not specified | siphon makes no journals; use rbd with images that have one
journal export | journal was not specified
journal import | path was not specified
journal info | journal was not specified
journal inspect | journal was not specified
journal reset | journal was not specified
journal status | journal was not specified
migration abort | image name was not specified | copy the image with siphon rbd deep cp, or migrate it with rbd
migration commit | image name was not specified
migration execute | image name was not specified
migration prepare | image name was not specified
mirror image demote | image name was not specified | siphon mirrors nothing; use rbd for it
mirror image disable | image name was not specified
mirror image enable | image name was not specified
mirror image promote | image name was not specified
mirror image resync | image name was not specified
mirror image snapshot | image name was not specified
mirror pool demote
mirror pool disable
mirror pool enable
mirror pool peer add
mirror pool peer remove
mirror pool peer set
mirror pool peer bootstrap create
mirror pool peer bootstrap import
mirror pool promote
mirror snapshot schedule add
mirror snapshot schedule list
mirror snapshot schedule remove
mirror snapshot schedule status
persistent-cache flush | image name was not specified | siphon has no cache on disk; use rbd where an image was left with one
persistent-cache invalidate | image name was not specified
`;

/** The required number of arguments, for commands where rbd checks more than the first. */
const further = new Map<string, [words: number, message: string]>([
  ["mirror pool enable", [2, "mirror mode was not specified"]],
  ["mirror pool peer add", [2, "remote cluster was not specified"]],
  ["mirror pool peer remove", [2, "must specify peer uuid"]],
]);

interface Refused {
  words: string[];
  missing: string | undefined;
  hint: string;
}

let hint = "";
export const refused: readonly Refused[] = table
  .trim()
  .split("\n")
  .map((line) => {
    const [words = "", missing, instead] = line.split("|").map((part) => part.trim());
    if (instead !== undefined) hint = instead;
    return { words: words.split(" "), missing, hint };
  });

/** Adds to one of rbd's commands the subcommands that siphon refuses. They stand under their first word. */
export function withRefused(parent: Command, depth = 0): Command {
  for (const each of refused) {
    const [word, ...rest] = each.words.slice(depth);
    if (word === undefined || parent.commands.some((known) => known.name() === word && rest.length === 0))
      continue;
    if (!pathOf(parent).every((name, i) => each.words[i] === name)) continue;
    if (rest.length === 0) parent.addCommand(refusing(word, each), { hidden: true });
    else if (!parent.commands.some((known) => known.name() === word))
      parent.addCommand(new Command(word), { hidden: true });
  }
  for (const child of parent.commands) withRefused(child, depth + 1);
  return parent;
}

/** The words of a command, without rbd itself. */
function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function refusing(word: string, { words, missing, hint: instead }: Refused): Command {
  const name = words.join(" ");
  return new Command(word)
    .argument("[words...]")
    .allowUnknownOption()
    .helpOption(false)
    .action((_words, _flags, command: Command) => {
      const given = command.args.filter(
        (arg, i) => !arg.startsWith("-") && !command.args[i - 1]?.startsWith("--"),
      );
      const [least, message] = further.get(name) ?? [1, missing];
      const isNamed = command.args.some((arg) => /^--(image|pool)/.test(arg));
      if (message !== undefined && given.length < least && !isNamed) throw usage(message);
      throw new SiphonError("EOPNOTSUPP", `siphon does not do rbd ${name}`, { hint: instead });
    });
}

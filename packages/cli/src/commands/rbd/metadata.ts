import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { type ImageSpec, type SpecFlags, usage, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags;
const readOnly = { readOnly: true, watch: false };

export function metadataCommand(): Command {
  const command = new Command("image-meta").summary("metadata of images: list, get, set, remove");
  for (const each of [list(), get(), set(), remove()]) command.addCommand(each);
  return command;
}

function list(): Command {
  const command = new Command("list")
    .alias("ls")
    .summary("list an image's metadata")
    .argument("[image-spec]")
    .action((text: string | undefined, flags: Flags & FormatFlags) =>
      withImage(flags, wholeImageSpec(text, flags), readOnly, async (image) => {
        const rows = [...(await image.metadata.list())];
        // rbd prints nothing for an empty list, except in plain format.
        if (rows.length === 0 && flags.format !== "plain") return;
        print(
          flags,
          () => listText(rows),
          () => Object.fromEntries(rows),
          { root: "metadatas" },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

function listText(rows: [string, string][]): string {
  const count = rows.length === 1 ? "is 1 metadatum" : `are ${rows.length} metadata`;
  const head = `There ${count} on this image${rows.length === 0 ? "." : ":"}\n`;
  if (rows.length === 0) return head;
  return `${head}\n${table(
    [
      ["Key", "left"],
      ["Value", "left"],
    ],
    rows,
  )}`;
}

function get(): Command {
  const command = new Command("get").summary("print the value of a key");
  return onKey(command, (spec, [key], flags) =>
    withImage(flags, spec, readOnly, async (image) => {
      process.stdout.write(`${await image.metadata.get(key).catch(missing(spec, key))}\n`);
    }),
  );
}

function set(): Command {
  const command = new Command("set").summary("set the value of a key");
  return onKey(
    command,
    (spec, [key, value], flags) => {
      if (value === undefined) throw usage("metadata value was not specified");
      return withImage(flags, spec, {}, (image) => image.metadata.set(new Map([[key, value]])));
    },
    "[value]",
  );
}

function remove(): Command {
  const command = new Command("remove").alias("rm").summary("remove a key and its value");
  return onKey(command, (spec, [key], flags) =>
    withImage(flags, spec, {}, async (image) => {
      // The OSD reports no error for a key that does not exist.
      await image.metadata.get(key).catch(missing(spec, key));
      await image.metadata.remove(key);
    }),
  );
}

/** The first argument names the image, unless options do: the key is then the first argument. */
function onKey(
  command: Command,
  action: (spec: ImageSpec, words: [string, ...string[]], flags: Flags) => Promise<void>,
  further?: string,
): Command {
  command.argument("[image-spec]").argument("[key]");
  if (further !== undefined) command.argument(further);
  command.action((...all: unknown[]) => {
    const flags = all.at(-2) as Flags;
    const words = all.slice(0, -2).filter((word) => word !== undefined) as string[];
    const spec = wholeImageSpec(flags.image === undefined ? words.shift() : undefined, flags);
    const [key, ...rest] = words;
    if (key === undefined) throw usage("metadata key was not specified");
    return action(spec, [key, ...rest], flags);
  });
  return withConnectFlags(withSpecFlags(command));
}

function missing({ image }: ImageSpec, key: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof SiphonError) || error.code !== "ENOENT") throw error;
    throw new SiphonError("ENOENT", `image ${image} has no metadata ${key}`, { cause: error });
  };
}

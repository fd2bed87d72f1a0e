import { type ImagePool, isRbdOption, Overrides } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { globalConfigCommand } from "./config-global.ts";
import { type SpecFlags, usage, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";
import { withPool } from "./run.ts";

type Flags = ConnectFlags & SpecFlags;
type Level = "image" | "pool";

/** RBD's settings: for all clients, for a pool, for an image. */
export function configCommand(): Command {
  const config = new Command("config").summary("settings of images, pools and all clients: ls, get, set, rm");
  for (const level of ["image", "pool"] as const) {
    const command = new Command(level).summary(`settings of one ${level}: ls, get, set, rm`);
    command.addCommand(list(level));
    command.addCommand(onKey(level, "get", "print a setting", [], printed));
    command.addCommand(
      onKey(level, "set", "override a setting", ["[value]"], (overrides, key, value) =>
        overrides.set(key, value),
      ),
    );
    command.addCommand(
      onKey(level, "rm", "override a setting no longer", [], (overrides, key) => overrides.remove(key)).alias(
        "remove",
      ),
    );
    config.addCommand(command);
  }
  config.addCommand(globalConfigCommand());
  return config;
}

function list(level: Level): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list settings, and where they come from")
    .argument(`[${level}-spec]`)
    .action((text: string | undefined, flags: Flags & FormatFlags) =>
      withOverrides(level, text, flags, async (overrides) => {
        const settings = await overrides.list();
        const head = level === "image" ? `There are ${settings.length} values:\n` : "";
        print(
          flags,
          () =>
            head +
            table(
              [
                ["Name", "left"],
                ["Value", "left"],
                ["Source", "left"],
              ],
              settings.map(({ name, value, source }) => [name, value, source]),
            ),
          () => settings.map(({ name, value, source }) => ({ name, value, source })),
          { root: "config", items: { config: "option" } },
        );
      }),
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command)));
}

async function printed(overrides: Overrides, key: string): Promise<void> {
  process.stdout.write(`${await overrides.get(key)}\n`);
}

function onKey(
  level: Level,
  name: string,
  summary: string,
  further: string[],
  action: (overrides: Overrides, key: string, value: string) => Promise<void>,
): Command {
  const command = new Command(name).summary(summary).argument(`[${level}-spec]`).argument("[key]");
  for (const each of further) command.argument(each);
  command.action((...all: unknown[]) => {
    const flags = all.at(-2) as Flags;
    const words = all.slice(0, -2).filter((word) => word !== undefined) as string[];
    const isNamed = flags[level] !== undefined;
    const text = isNamed ? undefined : words.shift();
    if (!isNamed && text === undefined) throw usage(`${level} name was not specified`);
    const [key, value = ""] = words;
    if (key === undefined) throw usage("config key was not specified");
    if (!isRbdOption(key)) throw usage(`not rbd option: ${key}`);
    if (level === "image" && name === "set" && words.length < 2) {
      throw usage("image config value was not specified");
    }
    return withOverrides(level, text, flags, (overrides) => action(overrides, key, value));
  });
  return withConnectFlags(withSpecFlags(command));
}

function withOverrides(
  level: Level,
  text: string | undefined,
  flags: Flags,
  action: (overrides: Overrides) => Promise<void>,
): Promise<void> {
  if (level === "pool" && text === undefined && flags.pool === undefined) {
    throw usage("pool name was not specified");
  }
  if (level === "pool") {
    // Namespaces have no settings of their own, so the whole text is the pool's name.
    const pool = text ?? flags.pool!;
    return withPool(flags, { pool, namespace: "" }, (images) => action(new Overrides(images)));
  }
  const spec = wholeImageSpec(text, flags);
  return withPool(flags, spec, async (images: ImagePool) => {
    await using image = await images.open(spec.image, { readOnly: true, watch: false });
    await action(new Overrides(images, image));
  });
}

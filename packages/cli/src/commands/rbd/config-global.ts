import type { Cluster } from "@siphon/rados";
import { isRbdOption } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../../connect.ts";
import { usage } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";

/** Settings that the monitors send to all clients, or to one client. */
export function globalConfigCommand(): Command {
  const global = new Command("global").summary("settings of all clients, or of one: ls, get, set, rm");
  const get = onEntity("get", "print a setting")
    .argument("[key]")
    .action((entity: string | undefined, key: string | undefined, flags: ConnectFlags) =>
      withKey(entity, key, flags, async (cluster, who, name) => {
        const found = (await settingsOf(cluster, who)).find(
          (each) => each.name === name && each.section === who,
        );
        if (found === undefined) throw new SiphonError("ENOENT", `${name} is not set for ${who}`);
        process.stdout.write(`${found.value}\n`);
      }),
    );
  const set = onEntity("set", "set a setting")
    .argument("[key]")
    .argument("[value]", "", "")
    .action((entity: string | undefined, key: string | undefined, value: string, flags: ConnectFlags) =>
      withKey(entity, key, flags, async (cluster, who, name) => {
        await cluster.command({ prefix: "config set", who, name, value });
      }),
    );
  const remove = onEntity("rm", "set a setting no longer")
    .alias("remove")
    .argument("[key]")
    .action((entity: string | undefined, key: string | undefined, flags: ConnectFlags) =>
      withKey(entity, key, flags, async (cluster, who, name) => {
        await cluster.command({ prefix: "config rm", who, name });
      }),
    );
  for (const each of [list(), get, set, remove]) global.addCommand(withConnectFlags(each));
  return global;
}

function list(): Command {
  return withFormatFlags(onEntity("ls", "list settings").alias("list")).action(
    (entity: string | undefined, flags: ConnectFlags & FormatFlags) =>
      withEntity(entity, flags, async (cluster, who) => {
        const rows = await settingsOf(cluster, who);
        print(
          flags,
          () => (rows.length === 0 ? "" : listText(rows)),
          () => rows,
          { root: "config", items: { config: "option" } },
        );
      }),
  );
}

function listText(rows: readonly MonSetting[]): string {
  return table(
    [
      ["Name", "left"],
      ["Value", "left"],
      ["Section", "left"],
    ],
    rows.map(({ name, value, section }) => [name, value, section]),
  );
}

function onEntity(name: string, summary: string): Command {
  return new Command(name).summary(summary).argument("[entity]", "global, client or client.ID");
}

async function withEntity(
  entity: string | undefined,
  flags: ConnectFlags,
  action: (cluster: Cluster, who: string) => Promise<void>,
): Promise<void> {
  assertEntity(entity);
  await using cluster = await connectCluster(flags);
  await action(cluster, entity);
}

async function withKey(
  entity: string | undefined,
  key: string | undefined,
  flags: ConnectFlags,
  action: (cluster: Cluster, who: string, name: string) => Promise<void>,
): Promise<void> {
  assertEntity(entity);
  if (key === undefined) throw usage("config key was not specified");
  if (!isRbdOption(key)) throw usage(`not rbd option: ${key}`);
  return withEntity(entity, flags, (cluster, who) => action(cluster, who, key));
}

function assertEntity(entity = ""): asserts entity is string {
  if (/^(global|client(\..+)?)$/.test(entity)) return;
  throw usage(`invalid config entity: ${entity} (must be global, client or client.<id>)`);
}

interface MonSetting {
  name: string;
  value: string;
  section: string;
}

/**
 * RBD's settings that apply to the entity, sorted by name. The entity's own settings take precedence over those of `client`,
 * and these over those of `global` (src/tools/rbd/action/Config.cc).
 */
async function settingsOf(cluster: Cluster, entity: string): Promise<MonSetting[]> {
  const sections = ["global", "client", entity].slice(0, entity === "global" ? 1 : undefined);
  const all = (await cluster.command({ prefix: "config dump" })) as MonSetting[];
  const found = new Map<string, MonSetting>();
  for (const wanted of new Set(sections)) {
    for (const { name, value, section } of all) {
      if (section === wanted && name.startsWith("rbd_")) found.set(name, { name, value, section });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

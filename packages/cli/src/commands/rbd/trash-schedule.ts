import { Command } from "commander";
import { type ConnectFlags, connectCluster, withConnectFlags } from "../../connect.ts";
import { poolSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";

type Flags = ConnectFlags & SpecFlags & FormatFlags & { recursive?: boolean };

interface Interval {
  interval: string;
  start_time: string | null;
}

/** When the manager's module rbd_support purges the trash. */
export function scheduleCommand(): Command {
  const schedule = new Command("schedule").summary("when the trash is purged by itself: ls, status");
  const list = new Command("ls")
    .alias("list")
    .summary("list schedules")
    .argument("[pool-spec]")
    .option("-R, --recursive", "also those of what is within")
    .action((text: string | undefined, _: Flags, self: Command) => showSchedules(text, flagsOf(self)));
  const status = new Command("status")
    .summary("show when the next purges will be")
    .argument("[pool-spec]")
    .action((text: string | undefined, _: Flags, self: Command) => showStatus(text, flagsOf(self)));
  for (const each of [list, status]) {
    schedule.addCommand(withConnectFlags(withFormatFlags(withSpecFlags(each))));
  }
  return schedule;
}

/** Flags that purging has, too, are taken by it, wherever they stand. */
function flagsOf(command: Command): Flags {
  return command.optsWithGlobals();
}

async function showSchedules(text: string | undefined, flags: Flags): Promise<void> {
  const found = (await ask("list", text, flags)) as Record<string, { name: string; schedule: Interval[] }>;
  const rows = Object.values(found).map(({ name, schedule }) => {
    const [pool = "", namespace = ""] = name.split("/");
    return { pool: pool || "-", namespace: namespace || "-", items: schedule };
  });
  const times = (items: Interval[]) =>
    items
      .map(({ interval, start_time }) => `every ${interval}${start_time ? ` starting at ${start_time}` : ""}`)
      .join(", ");
  print(
    flags,
    () => {
      if (!flags.recursive) return rows.map(({ items }) => `${times(items)}\n`).join("");
      if (rows.length === 0) return "";
      return table(
        [
          ["POOL", "left"],
          ["NAMESPACE", "left"],
          ["SCHEDULE", "left"],
        ],
        rows.map(({ pool, namespace, items }) => [pool, namespace, times(items)]),
      );
    },
    () => (flags.recursive ? rows : rows.flatMap(({ items }) => items)),
  );
}

async function showStatus(text: string | undefined, flags: Flags): Promise<void> {
  const { scheduled } = (await ask("status", text, flags)) as {
    scheduled: { pool_name: string; namespace: string; schedule_time: string }[];
  };
  const rows = scheduled.map(({ pool_name: pool, namespace, schedule_time }) => ({
    ...{ schedule_time, pool, namespace },
  }));
  print(
    flags,
    () =>
      rows.length === 0
        ? ""
        : table(
            [
              ["POOL", "left"],
              ["NAMESPACE", "left"],
              ["SCHEDULE TIME", "left"],
            ],
            rows.map(({ pool, namespace, schedule_time }) => [pool, namespace, schedule_time]),
          ),
    () => rows,
  );
}

/** @throws RadosError EINVAL while the manager has no module rbd_support */
async function ask(what: "list" | "status", text: string | undefined, flags: Flags): Promise<unknown> {
  const named = text !== undefined || flags.pool !== undefined;
  const { pool, namespace } = poolSpec(text, flags);
  const level = named ? `${pool}/${namespace && `${namespace}/`}` : "";
  await using cluster = await connectCluster(flags);
  return cluster.command(
    { prefix: `rbd trash purge schedule ${what}`, level_spec: level },
    { target: "mgr" },
  );
}

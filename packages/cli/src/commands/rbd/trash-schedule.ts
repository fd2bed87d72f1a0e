import { type Command as MonCommand, RadosError } from "@siphon/rados";
import { moduleCommand, RbdError } from "@siphon/rbd";
import { errno } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../../connect.ts";
import { poolSpec, type SpecFlags, usage, withSpecFlags } from "./image-spec.ts";
import { type FormatFlags, print, table, withFormatFlags } from "./output.ts";

type Flags = ConnectFlags & SpecFlags & FormatFlags & { recursive?: boolean };

interface Interval {
  interval: string;
  start_time: string | null;
}

/** The schedules by which the manager's module rbd_support purges the trash. */
export function scheduleCommand(): Command {
  const schedule = new Command("schedule").summary(
    "when the trash is purged by itself: add, rm, ls, status; with --pool and --namespace, or for all pools",
  );
  for (const [name, prefix, summary] of [
    ["add", "add", "purge the trash again and again"],
    ["rm", "remove", "purge it no more"],
  ] as const) {
    const command = new Command(name)
      .summary(summary)
      .argument("[interval]", "minutes, or with m, h or d")
      .argument("[start-time]", "ISO 8601")
      .action(async (interval: string | undefined, start: string | undefined, _: Flags, self: Command) => {
        if (name === "add" && interval === undefined)
          throw usage("name the interval, such as 30m, 12h or 1d");
        await ask(prefix, undefined, flagsOf(self), {
          ...(interval !== undefined && { interval }),
          ...(start !== undefined && { start_time: start }),
        });
      });
    if (name === "rm") command.alias("remove");
    schedule.addCommand(withConnectFlags(withSpecFlags(command)));
  }
  const list = new Command("ls")
    .alias("list")
    .summary("list schedules")
    .argument("[pool-spec]")
    .option("-R, --recursive", "also those of the levels below")
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

/** The parent command `purge` shares some flags with its subcommands, and commander assigns these to the parent. */
function flagsOf(command: Command): Flags {
  return command.optsWithGlobals();
}

/** The schedule of the level that is named; with `--recursive`, all schedules at and below it (src/tools/rbd/Schedule.cc). */
async function showSchedules(text: string | undefined, flags: Flags): Promise<void> {
  const found = (await ask("list", text, flags)) as Record<string, { name: string; schedule: Interval[] }>;
  const schedules = Object.values(found)
    .map(({ name, schedule }) => ({ name, items: schedule.map(shown) }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const elements = { items: { schedules: "schedule", items: "item" } };
  if (!flags.recursive) {
    const level = levelOf(text, flags);
    const own = schedules.find(({ name }) => name === level);
    if (own === undefined)
      throw new RadosError("ENOENT", `the trash of ${level || "all pools"} has no schedule`);
    const { items } = own;
    print(
      flags,
      () => `${scheduleText(items)}\n`,
      () => items,
      { root: "items", ...elements },
    );
    return;
  }
  const rows = schedules.map(({ name, items }) => {
    const [pool = "", namespace = ""] = name.split("/");
    return { pool: pool || "-", namespace: namespace || "-", items };
  });
  print(
    flags,
    () =>
      table(
        [
          ["POOL", "left"],
          ["NAMESPACE", "left"],
          ["SCHEDULE", "left"],
        ],
        rows.map(({ pool, namespace, items }) => [pool, namespace, scheduleText(items)]),
      ),
    () => rows,
    { root: "schedules", ...elements },
  );
}

async function showStatus(text: string | undefined, flags: Flags): Promise<void> {
  const { scheduled } = (await ask("status", text, flags).catch(asUnreadable)) as {
    scheduled: { pool_name: string; namespace: string; schedule_time: string }[];
  };
  const rows = scheduled
    .map(({ pool_name: pool, namespace, schedule_time: time }) => ({ pool, namespace, time }))
    .sort((a, b) => Buffer.compare(Buffer.from(sortKey(a)), Buffer.from(sortKey(b))));
  print(
    flags,
    () =>
      table(
        [
          ["POOL", "left"],
          ["NAMESPACE", "left"],
          ["SCHEDULE TIME", "left"],
        ],
        rows.map(({ pool, namespace, time }) => [pool, namespace, time]),
      ),
    () => rows.map(({ time, ...where }) => ({ ...where, schedule_time: time })),
    { root: "scheduled", items: { scheduled: "item" } },
  );
}

/** rbd treats this failure of the manager as an unreadable answer, and exits with EBADMSG. */
function asUnreadable(error: unknown): never {
  if (!(error instanceof RbdError)) throw error;
  const { code, message, hint } = error;
  throw new RbdError(code, message, {
    ...{ errno: -errno.EBADMSG, cause: error },
    ...(hint !== undefined && { hint }),
  });
}

function sortKey({ pool, namespace }: { pool: string; namespace: string }): string {
  return `${pool}\0${namespace}`;
}

function shown({ interval, start_time }: Interval): { interval: string; start_time: string } {
  return { interval, start_time: start_time ?? "" };
}

function scheduleText(items: { interval: string; start_time: string }[]): string {
  return items
    .map(({ interval, start_time }) => `every ${interval}${start_time && ` starting at ${start_time}`}`)
    .join(", ");
}

/** The level as the module spells it: empty for all pools, `pool/`, `pool/namespace/`. */
function levelOf(text: string | undefined, flags: Flags): string {
  if (text === undefined && flags.pool === undefined && flags.namespace === undefined) return "";
  const { pool, namespace } = poolSpec(text, flags);
  return `${pool}/${namespace && `${namespace}/`}`;
}

/** @throws RbdError SIPHON_RBD_UNSUPPORTED if the manager's module rbd_support is not active */
async function ask(
  what: "add" | "remove" | "list" | "status",
  text: string | undefined,
  flags: Flags,
  more: Omit<MonCommand, "prefix"> = {},
): Promise<unknown> {
  await using cluster = await connectCluster(flags);
  const command = { prefix: `rbd trash purge schedule ${what}`, level_spec: levelOf(text, flags), ...more };
  return await moduleCommand(cluster, "rbd_support", command);
}

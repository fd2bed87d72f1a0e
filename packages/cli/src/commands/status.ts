import { setTimeout as sleep } from "node:timers/promises";
import { formatSize } from "@siphon/lab";
import type { Cluster, ClusterStatus } from "@siphon/rados";
import { Command, Option } from "commander";
import type { ConnectFlags } from "../cluster-options.ts";
import { connectCluster, withConnectFlags } from "../connect.ts";
import { interruption } from "../interruption.ts";

interface Flags extends ConnectFlags {
  watch?: number | true;
  json?: boolean;
}

export function statusCommand(): Command {
  const command = new Command("status")
    .summary("show a Ceph cluster's health, daemons, data and traffic")
    .description("Show a Ceph cluster's health, daemons, data and traffic, like `ceph -s`.")
    .addOption(new Option("--watch [seconds]", "repeat it (default: every 2 s)").argParser(Number))
    .option("--json", "print it as JSON; with --watch one line each time")
    .action(status);
  return withConnectFlags(command);
}

async function status({ watch, json, ...flags }: Flags): Promise<void> {
  await using cluster = await connectCluster(flags);
  if (watch === undefined) {
    process.stdout.write(`${await show(cluster, json ? 2 : undefined)}\n`);
    return;
  }
  const pause = 1000 * Math.max(0.1, watch === true ? 2 : watch);
  const clear = process.stdout.isTTY && !json ? "\x1b[H\x1b[2J" : "";
  for (;;) {
    process.stdout.write(`${clear}${await show(cluster, json ? 0 : undefined)}\n`);
    await sleep(pause, undefined, { signal: interruption.signal });
  }
}

/** @param indent indentation of JSON; undefined for text */
async function show(cluster: Cluster, indent: number | undefined): Promise<string> {
  const now = await cluster.status({ signal: interruption.signal });
  return indent === undefined ? describe(now) : JSON.stringify(now, null, indent);
}

/** Text in the layout of `ceph status`. */
export function describe(status: ClusterStatus): string {
  const { fsid, health, mons, mgr, osds, pgs, io, recovery } = status;
  const problems = health.checks.filter(({ muted }) => !muted).map(({ message }) => message);
  const muted = health.checks.filter((check) => check.muted).map(({ code }) => code);
  const ago = (seconds: number) => (seconds > 0 ? duration(Date.now() / 1000 - seconds) : "never");
  const traffic = [
    io.readBytes > 0 && `${formatSize(io.readBytes)}/s rd`,
    io.writeBytes > 0 && `${formatSize(io.writeBytes)}/s wr`,
    io.readOperations > 0 && `${io.readOperations} op/s rd`,
    io.writeOperations > 0 && `${io.writeOperations} op/s wr`,
  ].filter(Boolean);
  const sections: [string, [string, string[]][]][] = [
    [
      "cluster",
      [
        ["id", [fsid]],
        [
          "health",
          [health.status, ...problems, ...(muted.length > 0 ? [`(muted: ${muted.join(" ")})`] : [])],
        ],
      ],
    ],
    [
      "services",
      [
        ["mon", [`${mons.total} daemons, quorum ${mons.quorum.join(",")} (age ${duration(mons.quorumAge)})`]],
        ["mgr", [mgr.available ? `${mgr.name} (active), ${mgr.standbys} standby` : "none active"]],
        [
          "osd",
          [
            `${osds.total} osds: ${osds.up} up (since ${ago(osds.upSince)}), ${osds.in} in (since ${ago(osds.inSince)})` +
              (osds.remappedPgs > 0 ? `; ${osds.remappedPgs} remapped pgs` : ""),
          ],
        ],
      ],
    ],
    [
      "data",
      [
        ["pools", [`${status.pools} pools, ${pgs.reduce((sum, { count }) => sum + count, 0)} pgs`]],
        ["objects", [`${status.objects} objects, ${formatSize(status.storedBytes)}`]],
        [
          "usage",
          [
            `${formatSize(status.usedBytes)} used, ${formatSize(status.availableBytes)} / ${formatSize(status.totalBytes)} avail`,
          ],
        ],
        ["pgs", pgs.map(({ state, count }) => `${count} ${state}`)],
      ],
    ],
    [
      "io",
      [
        ["client", traffic.length > 0 ? [traffic.join(", ")] : []],
        [
          "recovery",
          recovery.bytes > 0 ? [`${formatSize(recovery.bytes)}/s, ${recovery.objects} objects/s`] : [],
        ],
      ],
    ],
  ];
  return sections.map(section).filter(Boolean).join("\n\n");
}

function section([title, rows]: [string, [string, string[]][]]): string {
  const lines = rows.flatMap(([label, [first, ...more]]) =>
    first === undefined
      ? []
      : [`    ${`${label}:`.padEnd(9)}${first}`, ...more.map((line) => `${" ".repeat(13)}${line}`)],
  );
  return lines.length === 0 ? "" : [`  ${title}:`, ...lines].join("\n");
}

/** A duration in its two largest units: `3d 4h`, `7m 5s`, `12s`. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units: [string, number][] = [
    ["d", Math.floor(whole / 86_400)],
    ["h", Math.floor(whole / 3600) % 24],
    ["m", Math.floor(whole / 60) % 60],
    ["s", whole % 60],
  ];
  const first = units.findIndex(([, count]) => count > 0);
  if (first < 0) return "0s";
  const shown = units.slice(first, first + 2).filter(([, count]) => count > 0);
  return shown.map(([unit, count]) => `${count}${unit}`).join(" ");
}

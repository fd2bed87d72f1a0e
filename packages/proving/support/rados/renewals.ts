import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Cluster, type CommandTarget, type MonEvent } from "@siphon/rados";
import { upForTest } from "./live-modes.ts";

export type RenewalMode = "v1" | "crc" | "secure";

/**
 * Sends commands to daemons of every kind, each over a new connection that presents the ticket, until tickets have been
 * renewed this many times. Throws on the first command that fails.
 *
 * @param lifetime of tickets, in seconds
 * @returns the number of commands that were answered
 */
export async function renewUnderLoad(mode: RenewalMode, lifetime: number, renewals: number): Promise<number> {
  const wire = mode === "v1" ? { msgr: "v1" as const } : { msgr: "v2" as const, wire: mode };
  const settings = { auth_mon_ticket_ttl: lifetime, auth_service_ticket_ttl: lifetime };
  await using ceph = await upForTest(`rados-tickets-${mode}`, { auth: "cephx", ...wire, settings });
  await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  const targets: CommandTarget[] = ["mon", { osd: 0 }, { mgr: "active" }];
  let renewed = 0;
  let answered = 0;
  // A session with another monitor brings new tickets, too.
  const count = (event: unknown) => {
    if ((event as MonEvent).event !== "hunting") renewed++;
  };
  subscribe("siphon:rados:mon", count);
  try {
    while (renewed < renewals) {
      for (const target of targets) await cluster.command({ prefix: "version" }, { target });
      answered += targets.length;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // The last tickets must work as well.
    for (const target of targets) await cluster.command({ prefix: "version" }, { target });
    return answered + targets.length;
  } finally {
    unsubscribe("siphon:rados:mon", count);
  }
}

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { Cluster, type CommandTarget, type MonEvent } from "../../src/index.ts";
import { upForTest } from "../support/live-modes.ts";

/** Seconds. Daemons renew their own secrets as often; less than this and they fall behind. */
const lifetime = 6;

describe("tickets are renewed before they expire, under load", () => {
  for (const mode of ["v1", "secure"] as const) {
    test(mode, async () => {
      const wire = mode === "v1" ? { msgr: "v1" as const } : { msgr: "v2" as const, wire: mode };
      const settings = { auth_mon_ticket_ttl: lifetime, auth_service_ticket_ttl: lifetime };
      await using ceph = await upForTest(`rados-tickets-${mode}`, { auth: "cephx", ...wire, settings });
      await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
      let renewals = 0;
      const count = (event: unknown) => {
        if ((event as MonEvent).event === "tickets") renewals++;
      };
      subscribe("siphon:rados:mon", count);
      const targets: CommandTarget[] = ["mon", { osd: 0 }, { mgr: "active" }];
      while (renewals < 3) {
        // Each connection to a daemon presents the ticket anew.
        for (const target of targets) await cluster.command({ prefix: "version" }, { target });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      unsubscribe("siphon:rados:mon", count);
      assert.equal(renewals, 3);
    });
  }
});

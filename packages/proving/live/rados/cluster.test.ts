import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type RadosError } from "@siphon/rados";
import { CephxAuthenticator, NoneAuthenticator } from "../../../rados/src/auth/authenticator.ts";
import { resolveSettings } from "../../../rados/src/cluster/settings.ts";
import { Messenger } from "../../../rados/src/messenger/messenger.ts";
import { MonClient } from "../../../rados/src/mon/client.ts";
import { cephRelease } from "../../support/rados/ceph-release.ts";
import { type LiveMode, liveModes, upForTest } from "../../support/rados/live-modes.ts";
import { until } from "../../support/until.ts";

for (const mode of Object.keys(liveModes) as LiveMode[]) {
  describe(mode, () => {
    let ceph: LocalCluster;
    let cluster: Cluster;

    before(async () => {
      ceph = await upForTest(`rados-${mode.replaceAll("/", "-")}`, liveModes[mode]);
      cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
    });

    after(async () => {
      cluster?.close();
      await ceph?.down();
    });

    test("a session receives the cluster's maps", () => {
      assert.equal(cluster.fsid, ceph.fsid);
      assert.deepEqual(cluster.monmap.mons.map(({ name }) => name).sort(), ["a", "b", "c"]);
      assert.match(cluster.currentMon!, /^mon\.?[abc]?$/);
      assert.ok(cluster.globalId > 0n);
      assert.equal(cluster.osdmap.fsid, ceph.fsid);
      assert.ok([...cluster.pools.values()].includes("libvirt-pool"));
    });

    test("daemons of every kind answer commands with JSON", async () => {
      const ask = { prefix: "version" };
      const answers = await Promise.all([
        cluster.command(ask),
        cluster.command(ask, { target: { osd: 0 } }),
        cluster.command(ask, { target: { mgr: "active" } }),
        cluster.command(ask, { target: { mon: "b" } }),
      ]);
      // Since Tentacle, only monitors print the words before the version.
      const version = new RegExp(`"version":"(ceph version )?${cephRelease}\\.`);
      for (const answer of answers) assert.match(JSON.stringify(answer), version);
      const df = (await cluster.command({ prefix: "osd df" }, { target: "mgr" })) as { nodes: unknown[] };
      assert.equal(df.nodes.length, 1);
      assert.deepEqual(await cluster.command({ prefix: "osd df" }), df);
      const pool = cluster.osdmap.poolByName("libvirt-pool")!;
      const query = { prefix: "query", pgid: `${pool.id}.0` };
      const pg = (await cluster.command(query, { target: { pg: `${pool.id}.0` } })) as { state: string };
      assert.equal(pg.state, "active+clean");
    });

    test("a refused command fails with the daemon's errno and message", async () => {
      const unknown = cluster.command({ prefix: "osd no-such-thing" });
      await assert.rejects(unknown, {
        code: "EINVAL",
        message: /mon refused `osd no-such-thing`: .*\(EINVAL\)/,
      });
      const missing = cluster.command({ prefix: "osd pool get", pool: "nowhere", var: "size" });
      await assert.rejects(missing, { code: "ENOENT", message: /unrecognized pool 'nowhere'/ });
      await assert.rejects(cluster.command({ prefix: "version" }, { target: { osd: 7 } }), {
        code: "ENOENT",
      });
      await assert.rejects(cluster.command({ prefix: "version" }, { target: { mon: "z" } }), {
        code: "ENOENT",
      });
    });

    test("closing a handle rejects everything that waits on it", async () => {
      const closing = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
      const closed = { code: "SIPHON_RADOS_CLOSED" };
      const waiting = [
        closing.command({ prefix: "status" }),
        closing.command({ prefix: "version" }, { target: { osd: 0 } }),
        closing.command({ prefix: "version" }, { target: { mon: "a" } }),
        closing.latestOsdMap(),
      ].map((wait) => assert.rejects(wait, closed));
      closing.close();
      await Promise.all(waiting);
      await assert.rejects(closing.command({ prefix: "status" }), closed);
    });

    test("pools are made, listed, measured and removed", async () => {
      await cluster.createPool({ name: "ours", pgs: 4, size: 1, application: "rados" });
      const pool = cluster.osdmap.poolByName("ours")!;
      assert.deepEqual([pool.pgNum, pool.size, [...pool.applications.keys()]], [4, 1, ["rados"]]);
      let usage = await cluster.df();
      // The manager counts new objects with a delay.
      await until(async () => {
        usage = await cluster.df();
        return usage.pools.some(({ id }) => id === pool.id);
      });
      assert.ok(usage.totalBytes > 0);
      const { name, objects } = usage.pools.find(({ id }) => id === pool.id)!;
      assert.deepEqual([name, objects], ["ours", 0]);
      await cluster.deletePool("ours");
      assert.equal(cluster.osdmap.poolByName("ours"), undefined);
    });

    test("a client is added to the blocklist and removed again", async () => {
      const addr = { type: "any", nonce: 4711, family: 4, address: "192.0.2.9", port: 0 } as const;
      await cluster.blocklist("add", "192.0.2.9:0/4711", 600);
      assert.ok(cluster.osdmap.isBlocklisted([addr]));
      await cluster.blocklist("rm", "192.0.2.9:0/4711");
      assert.ok(!cluster.osdmap.isBlocklisted([addr]));
    });

    test("settings that the monitors keep for this client reach it", async () => {
      const set = { prefix: "config set", who: "client.admin", name: "rados_osd_op_timeout", value: "17" };
      await cluster.command(set);
      await until(() => cluster.config.get("rados_osd_op_timeout") === "17");
      await cluster.command({ prefix: "config rm", who: "client.admin", name: "rados_osd_op_timeout" });
      await until(() => !cluster.config.has("rados_osd_op_timeout"));
    });

    if (mode.startsWith("v2")) {
      test("a client of msgr2.0, before its revision 1, is served as well", async () => {
        const { modes, mons, name, key } = await resolveSettings({ conf: ceph.conf, env: {} });
        const messenger = new Messenger({ modes, revision: 0 });
        const authenticator =
          key === undefined ? new NoneAuthenticator(name) : new CephxAuthenticator(name, key);
        const nothing = () => {};
        const events = { monmap: nothing, osdmap: nothing, config: nothing, mgrmap: nothing };
        const client = new MonClient(messenger, authenticator, { candidates: mons }, events);
        await client.open(30_000);
        const { output } = await client.command('{"prefix":"fsid"}', undefined, "fsid");
        assert.equal(output.toString().trim(), ceph.fsid);
        client.close();
        messenger.close();
      });
    }

    test("an OSD that is killed and restarted is found again through the map", async () => {
      const version = () => cluster.command({ prefix: "version" }, { target: { osd: 0 } });
      const before = await version();
      const [{ nonce } = assert.fail()] = cluster.osdmap.addrs(0);
      await ceph.killDaemon("osd.0");
      await ceph.startDaemon("osd.0");
      await until(() => cluster.osdmap.isUp(0) && cluster.osdmap.addrs(0)[0]!.nonce !== nonce);
      assert.deepEqual(await version(), before);
    });

    test("monitors are killed in turn: every command of a stream is answered", async () => {
      const stop = new AbortController();
      const { globalId } = cluster;
      let answered = 0;
      const stream = (async () => {
        while (!stop.signal.aborted) {
          const { epoch } = (await cluster.command({ prefix: "osd dump" })) as { epoch: number };
          assert.ok(epoch > 0);
          answered++;
        }
      })();
      for (const mon of ["mon.a", "mon.b", "mon.c"]) {
        await ceph.killDaemon(mon);
        const before = answered;
        await until(() => answered > before + 20);
        await ceph.startDaemon(mon);
      }
      stop.abort();
      await stream;
      assert.equal(cluster.globalId, globalId);
    });

    if (mode !== "v2/cephx/secure") {
      test("a client that requires secure mode does not connect", async () => {
        const settings = { ms_mon_client_mode: "secure", ms_client_mode: "secure" };
        const attempt = Cluster.connect({ conf: ceph.conf, name: "client.admin", settings, env: {} });
        await assert.rejects(attempt, { code: "SIPHON_RADOS_MODE", message: /secure/ });
      });
    }

    test("a client whose clock is a year off connects", async ({ mock }) => {
      mock.timers.enable({ apis: ["Date"], now: Date.now() - 365 * 86_400_000 });
      await using late = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
      await late.command({ prefix: "version" }, { target: { osd: 0 } });
    });

    if (liveModes[mode].auth === "cephx") {
      test("no output contains keys or tickets", async () => {
        const keyring = await readFile(ceph.conf.replace("ceph.conf", "client.admin.keyring"), "utf8");
        const key = Buffer.from(/key = (\S+)/.exec(keyring)![1]!, "base64").subarray(-16);
        const failures = await Promise.allSettled([
          cluster.command({ prefix: "version" }, { target: { osd: 7 } }),
          Cluster.connect({ conf: ceph.conf, name: "client.nobody", env: {} }),
        ]);
        const deep = { depth: 40, showHidden: true, maxArrayLength: 100_000 };
        const shown = inspect([cluster, failures], deep) + JSON.stringify(failures);
        for (const form of [key.toString("base64").slice(0, 20), key.toString("hex"), [...key].join(", ")]) {
          assert.ok(!shown.includes(form));
        }
        assert.ok(!shown.includes(key.toString("hex").replaceAll(/(..)(?!$)/g, "$1 ")));
      });

      test("a wrong key and an unknown user each get one clear sentence", async () => {
        const key = Buffer.concat([
          Buffer.from([1, 0]),
          Buffer.alloc(8),
          Buffer.from([16, 0]),
          Buffer.alloc(16, 3),
        ]);
        for (const name of ["client.admin", "client.nobody"]) {
          const settings = { key: key.toString("base64") };
          const attempt = Cluster.connect({ conf: ceph.conf, name, settings, env: {} });
          await assert.rejects(attempt, (error: RadosError) => {
            assert.equal(error.code, "SIPHON_RADOS_AUTH");
            assert.match(
              error.message,
              new RegExp(`the cluster rejected ${name}: no such user, a wrong key, or`),
            );
            return true;
          });
        }
      });
    }
  });
}

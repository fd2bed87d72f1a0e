import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool } from "@siphon/rados";
import { Random } from "../../../rados/test/support/random.ts";
import { ObjectLoad } from "../../soak/rados/faults/object-load.ts";
import { cephRelease } from "../../support/rados/ceph-release.ts";
import { upForTest } from "../../support/rados/live-modes.ts";
import { until } from "../../support/until.ts";

const execute = promisify(execFile);

/** The releases that a cluster of this release can require of its clients, since Luminous. */
const releases = ["luminous", "nautilus", "pacific", "reef", "squid", "tentacle"];
const numbers: Record<string, number> = {
  luminous: 12,
  nautilus: 14,
  pacific: 16,
  reef: 18,
  squid: 19,
  tentacle: 20,
};
const demandable = releases.filter((release) => numbers[release]! <= cephRelease);

describe(`requirements that a cluster of Ceph ${cephRelease} can set for its clients`, () => {
  let ceph: LocalCluster;
  let cluster: Cluster;
  let directory = "";

  before(async () => {
    const spec = { auth: "cephx", mons: 1, osds: 4, replicas: 2, store: "bluestore", msgr: "both" } as const;
    ceph = await upForTest("rados-features", spec);
    cluster = await connect();
    directory = await mkdtemp(join(tmpdir(), "siphon-features-"));
  });

  after(async () => {
    cluster?.close();
    await ceph?.down();
    if (directory !== "") await rm(directory, { recursive: true });
  });

  const connect = () => Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });

  async function underLoad(
    pool: Pool,
    work: (progress: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const load = new ObjectLoad(pool, new Random(11));
    const stop = new AbortController();
    const running = load.run(stop.signal);
    const failed = running.then(() => new Promise<never>(() => {}));
    const progress = () => {
      const before = load.operations;
      return until(() => load.operations > before + 50, { progress: () => load.operations });
    };
    try {
      await Promise.race([failed, progress().then(() => work(progress))]);
    } finally {
      stop.abort();
    }
    await running;
    await using fresh = await connect();
    await load.verify(await fresh.pool(pool.name, { namespace: pool.namespace }));
  }

  for (const release of demandable) {
    test(`${release} is required: this client stays connected, and new ones connect over v1 and v2`, async () => {
      // The monitors refuse this while an older client seems to be connected.
      await cluster.command({ prefix: "osd set-require-min-compat-client", version: release });
      await until(
        async () => (await cluster.latestOsdMap()).state.requireMinCompatClient === numbers[release],
      );
      for (const type of ["v1", "v2"]) {
        const mons = cluster.monmap.mons[0]!.addrs.find(
          (addr) => (addr.type === "msgr2") === (type === "v2"),
        )!;
        const settings = { mon_host: `${type}:${mons.address}:${mons.port}`, ...(type === "v1" && crcOnly) };
        await using other = await Cluster.connect({
          conf: ceph.conf,
          name: "client.admin",
          settings,
          env: {},
        });
        await other.command({ prefix: "version" }, { target: { osd: 0 } });
      }
    });
  }

  test("`ceph features` counts this client under the newest release that it can distinguish", async () => {
    interface Features {
      client: { features: string; release: string; num: number }[];
    }
    const { client } = (await cluster.command({ prefix: "features" })) as Features;
    const told = cephRelease >= 19 ? "squid" : cephRelease >= 18 ? "reef" : "luminous";
    assert.deepEqual([...new Set(client.map(({ release }) => release))], [told]);
  });

  test("the OSDs are of this release, and the map confirms it", () => {
    assert.equal(cluster.osdmap.state.requireOsdRelease, cephRelease);
  });

  test("pg-upmap-primary moves primaries and moves them back, under load", {
    skip: cephRelease < 18,
  }, async () => {
    await cluster.createPool({ name: "upmapped", pgs: 8, size: 3, application: "rados" });
    const pool = await cluster.pool("upmapped");
    const { id } = cluster.osdmap.poolByName("upmapped")!;
    const pgs = Array.from({ length: 8 }, (_, seed) => ({ pgid: `${id}.${seed}`, seed }));
    const place = (seed: number) => cluster.osdmap.place(cluster.osdmap.pool(id)!, seed);
    await underLoad(pool, async (progress) => {
      const moved = new Map<number, number>();
      for (const { pgid, seed } of pgs) {
        const osd = place(seed).acting.at(-1)!;
        moved.set(seed, osd);
        await cluster.command({ prefix: "osd pg-upmap-primary", pgid, id: osd });
      }
      await until(() => pgs.every(({ seed }) => place(seed).actingPrimary === moved.get(seed)));
      await progress();
      // A new client must support the feature.
      await using late = await connect();
      await late.command({ prefix: "version" }, { target: { osd: 0 } });
      for (const { pgid } of pgs) await cluster.command({ prefix: "osd rm-pg-upmap-primary", pgid });
      await until(() => pgs.every(({ seed }) => place(seed).actingPrimary === place(seed).acting[0]));
      await progress();
    });
  });

  test("an erasure-coded pool on BlueStore takes overwrites", async () => {
    await coded("overwritten", ["k=2", "m=1", "crush-failure-domain=osd"]);
    await underLoad(await cluster.pool("overwritten"), (progress) => progress());
  });

  test("a rule places several shards on a host (MSR)", { skip: cephRelease < 19 }, async () => {
    const several = ["crush-osds-per-failure-domain=3", "crush-num-failure-domains=1"];
    await coded("msr", ["k=2", "m=1", "crush-failure-domain=host", ...several]);
    const { id } = cluster.osdmap.poolByName("msr")!;
    for (let seed = 0; seed < 4; seed++) {
      const theirs = (await cluster.command({ prefix: "pg map", pgid: `${id}.${seed}` })) as { up: number[] };
      assert.deepEqual(cluster.osdmap.place(cluster.osdmap.pool(id)!, seed).up, theirs.up);
    }
    await underLoad(await cluster.pool("msr"), (progress) => progress());
  });

  test("a pool with EC optimizations works under load while shards move, and interoperates with rados", {
    skip: cephRelease < 20,
  }, async () => {
    await coded("optimized", ["k=2", "m=2", "crush-failure-domain=osd"]);
    const pool = await cluster.pool("optimized");
    await underLoad(pool, async (progress) => {
      await cluster.command({
        prefix: "osd pool set",
        pool: "optimized",
        var: "allow_ec_optimizations",
        val: "true",
      });
      await until(() => cluster.osdmap.poolByName("optimized")!.nonprimaryShards.length > 0);
      await progress();
      // The remaining OSDs store a temporary acting set with the primaries first.
      await ceph.killDaemon("osd.1");
      await cluster.run({ prefix: "osd down", ids: ["1"] });
      await progress();
      await ceph.startDaemon("osd.1");
      await progress();
    });
    await crosswise(pool);
  });

  /** Makes an erasure-coded pool that allows overwrites. */
  async function coded(name: string, profile: string[]): Promise<void> {
    await cluster.run({ prefix: "osd erasure-code-profile set", name, profile });
    await cluster.createPool({ name, pgs: 4, erasureCodeProfile: name });
    await cluster.command({ prefix: "osd pool set", pool: name, var: "allow_ec_overwrites", val: "true" });
    await cluster.run({ prefix: "osd pool application enable", pool: name, app: "rados" });
  }

  /** Each of the two clients reads what the other has written, as a whole and in parts. */
  async function crosswise(pool: Pool): Promise<void> {
    const file = join(directory, "object");
    const rados = (...args: string[]) => execute("rados", ["--conf", ceph.conf, "-p", pool.name, ...args]);
    const bytes = Buffer.from(Array.from({ length: 100_003 }, (_, i) => (i * 31) & 0xff));
    const part = Buffer.alloc(5_000, "part");
    await pool.writeFull("ours", bytes);
    await pool.write("ours", 9_999, part);
    await rados("get", "ours", file);
    const expected = Buffer.from(bytes);
    part.copy(expected, 9_999);
    assert.ok((await readFile(file)).equals(expected));
    await writeFile(file, bytes);
    await rados("put", "theirs", file);
    await writeFile(file, part);
    await rados("put", "theirs", file, "--offset", "9999");
    assert.ok((await pool.read("theirs")).equals(expected));
    for (const [offset, length] of [
      [0, 1],
      [4_095, 2],
      [9_998, 5_002],
      [65_536, 4_096],
      [100_000, 100],
    ] as const) {
      assert.ok(
        (await pool.read("theirs", { offset, length })).equals(expected.subarray(offset, offset + length)),
      );
    }
  }
});

test("a cluster in stretch mode loses a site", async () => {
  const settings = { osd_pool_default_size: 2, osd_pool_default_min_size: 1 };
  await using ceph = await upForTest("rados-stretch", { auth: "cephx", osds: 4, replicas: 2, settings });
  await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  for (const [osd, site] of ["east", "east", "west", "west"].entries()) {
    const args = ["root=default", `datacenter=${site}`, `host=${site}-${osd}`];
    await cluster.run({ prefix: "osd crush set", id: osd, weight: 0.01, args });
  }
  for (const [name, site] of Object.entries({ a: "east", b: "west", c: "middle" })) {
    await cluster.run({ prefix: "mon set_location", name, args: [`datacenter=${site}`] });
  }
  await cluster.run({ prefix: "mon set election_strategy", strategy: "connectivity" });
  await addRule(ceph);
  await until(async () => {
    const enable = { tiebreaker_mon: "c", new_crush_rule: "stretched", dividing_bucket: "datacenter" };
    const { result } = await cluster.run({ prefix: "mon enable_stretch_mode", ...enable }).then(
      () => ({ result: "" }),
      (error: Error) => ({ result: error.message }),
    );
    return result === "" || /already/.test(result);
  });
  const pool = await cluster.pool("libvirt-pool");
  await until(() => cluster.osdmap.poolByName("libvirt-pool")!.size === 4);
  await pool.writeFull("o", Buffer.from("1"));
  // Kills one of the two sites.
  for (const osd of [2, 3]) await ceph.killDaemon(`osd.${osd}`);
  await ceph.killDaemon("mon.b");
  await cluster.run({ prefix: "osd down", ids: ["2", "3"] });
  await pool.append("o", Buffer.from("2"));
  await using late = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  assert.equal(`${await (await late.pool("libvirt-pool")).read("o")}`, "12");
});

/** Adds a rule with two copies in each of two datacenters, by the CRUSH map's text, the only way to add such a rule. */
async function addRule(ceph: LocalCluster): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "siphon-crush-"));
  const [map, text] = [join(directory, "map"), join(directory, "text")];
  try {
    await execute("ceph", ["--conf", ceph.conf, "osd", "getcrushmap", "-o", map]);
    await execute("crushtool", ["-d", map, "-o", text]);
    const steps = [
      "take default",
      "choose firstn 0 type datacenter",
      "chooseleaf firstn 2 type host",
      "emit",
    ];
    const sizes = cephRelease < 17 ? ["min_size 1", "max_size 10"] : [];
    const lines = ["id 9", "type replicated", ...sizes, ...steps.map((step) => `step ${step}`)];
    const rule = `\nrule stretched {\n\t${lines.join("\n\t")}\n}\n`;
    const before = await readFile(text, "utf8");
    await writeFile(text, before.replace(/\n# end crush map/, `${rule}\n# end crush map`));
    await execute("crushtool", ["-c", text, "-o", map]);
    await execute("ceph", ["--conf", ceph.conf, "osd", "setcrushmap", "-i", map]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const crcOnly = { ms_mon_client_mode: "crc", ms_client_mode: "crc" };

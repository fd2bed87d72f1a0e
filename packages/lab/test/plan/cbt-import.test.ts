import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { parseBaselineOptions, readBaselinePlan } from "../../src/baseline/options.ts";
import { parseInventory } from "../../src/deploy/inventory.ts";
import { LabError } from "../../src/errors.ts";
import { parseLadderOptions, readPlan } from "../../src/ladder/options.ts";
import { CbtFile } from "../../src/plan/cbt-file.ts";
import { importCbt, translate, writeImport } from "../../src/plan/cbt-import.ts";

const root = mkdtempSync(join(tmpdir(), "siphon-plan-"));
process.env.SIPHON_STATE_DIR = "/state";
after(() => rmSync(root, { recursive: true, force: true }));

const imported = (text: string) => translate(new CbtFile("test.yaml", text));
/** Options that are left out, as `line option`. */
const left = (text: string) =>
  imported(text).leftOut.map(({ line, what }) => `${line} ${what.split(":")[0]}`);

/** A cluster to be made, with librbd measured on it: the shape of CBT's own BlueStore example. */
const made = `cluster:
  user: 'bench'
  head: "192.0.2.11"
  clients: ["192.0.2.11"]
  osds: ["192.0.2.11", "192.0.2.12"]
  mons:
    192.0.2.11:
      a: "192.0.2.11:6789"
  osds_per_node: 2
  fs: 'xfs'
  iterations: 3
  use_existing: False
  tmp_dir: "/tmp/cbt"
  pool_profiles:
    rbd:
      pg_size: 256
      pgp_size: 256
      replication: 2
    ec:
      pg_size: 64
benchmarks:
  librbdfio:
    time: 300
    ramp: 30
    vol_size: 16384
    mode: [randread, 'readwrite']
    op_size: [16384, 4096]
    procs_per_volume: [1]
    volumes_per_client: [2]
    iodepth: [128]
    pool_profile: 'rbd'
    log_avg_msec: 100
  radosbench:
    op_size: [4194304]
`;

/** Kernel RBD in VMs on a cluster that is there. */
const existing = `cluster:
  head: "vmhost"
  clients: [ "^vms.list" ]
  conf_file: /ceph/ceph.conf
  iterations: 2
benchmarks:
  kvmrbdfio:
    time: 60
    ramp: 20
    rate_iops: 2
    iodepth: [2]
    numjobs: 1
    block_devices: /dev/rbd1
    mode: randwrite
    op_size: 4096
    vol_size: 1024
`;

test("each combination of a benchmark's values becomes a plan", () => {
  const { plans } = imported(made);
  assert.deepEqual(
    plans.map(({ name }) => name),
    ["randread-16k", "randread-4k", "rw-16k", "rw-4k"].map((load) => `librbdfio-${load}-qd128`),
  );
  assert.deepEqual(plans[0], {
    name: "librbdfio-randread-16k-qd128",
    command: "baseline",
    options: {
      rw: "randread",
      bs: 16_384,
      iodepth: 128,
      seconds: 300,
      warmup: 30,
      size: 16_384 * 2 ** 20,
      repeat: 3,
      engines: ["librbd"],
      existing: { conf: "/state/clusters/cbt/ceph.conf", user: "libvirt", pool: "libvirt-pool" },
    },
  });
});

test("a cluster that CBT would make becomes an inventory that can be deployed", () => {
  const { inventory } = imported(made);
  const { hosts, spec } = parseInventory(inventory);
  assert.deepEqual(
    hosts.map(({ name, mon, ssh, directory, osds }) => [
      name,
      mon !== undefined,
      ssh.user,
      directory,
      osds.length,
    ]),
    [
      ["192.0.2.11", true, "bench", "/tmp/cbt", 2],
      ["192.0.2.12", false, "bench", "/tmp/cbt", 2],
    ],
  );
  assert.deepEqual(hosts[1].osds[1], { device: "/dev/disk/by-partlabel/osd-device-1-data" });
  assert.deepEqual([spec.pgs, spec.replicas], [256, 2]);
});

test("options that are not converted are listed with their lines, and nothing else", () => {
  assert.deepEqual(left(made), [
    "3 cluster.head",
    "4 cluster.clients",
    "10 cluster.fs",
    "19 cluster.pool_profiles.ec",
    "29 benchmarks.librbdfio.volumes_per_client",
    "32 benchmarks.librbdfio.log_avg_msec",
    "33 benchmarks.radosbench",
  ]);
});

test("kvmrbdfio becomes a ladder on the existing cluster", () => {
  const { plans, inventory, leftOut } = imported(existing);
  assert.equal(inventory, undefined);
  const [{ command, options }] = plans;
  assert.equal(command, "ladder");
  assert.deepEqual(options, {
    rw: "randwrite",
    bs: 4096,
    iodepth: 2,
    seconds: 60,
    warmup: 20,
    size: 2 ** 30,
    repeat: 2,
    bigger: false,
    existing: { conf: "/ceph/ceph.conf", user: "admin", pool: "libvirt-pool" },
  });
  assert.deepEqual(
    leftOut.map(({ line, what }) => `${line} ${what.split(":")[0]}`),
    [
      "2 cluster.head",
      "3 cluster.clients",
      "7 benchmarks.kvmrbdfio",
      "10 benchmarks.kvmrbdfio.rate_iops",
      "13 benchmarks.kvmrbdfio.block_devices",
    ],
  );
});

test("rbdfio is kernel RBD; without values, CBT's own defaults count", () => {
  const { plans, leftOut } = imported(
    "cluster: { use_existing: true }\nbenchmarks: { rbdfio: { poolname: fast } }\n",
  );
  const [{ options }] = plans;
  const { rw, bs, iodepth, size, existing: where, engines } = options as Record<string, unknown>;
  assert.deepEqual([rw, bs, iodepth, size], ["write", 4 * 2 ** 20, 16, 64 * 2 ** 30]);
  assert.deepEqual(
    [engines, where],
    [["krbd"], { conf: "/etc/ceph/ceph.conf", user: "admin", pool: "fast" }],
  );
  assert.ok(leftOut.some(({ why }) => /no time is given/.test(why)));
});

test("workloads of a benchmark beat its common options, each with plans of its own", () => {
  const text = `cluster: {}
benchmarks:
  librbdfio:
    time: 60
    iodepth: [1, 4]
    op_size: 4096
    workloads:
      precondition: { jobname: pre, mode: randwrite, iodepth: [64], monitor: False }
      test1: { mode: randread, iodepth: [1, 8], numjobs: [1, 4] }
`;
  assert.deepEqual(
    imported(text).plans.map(({ name }) => name),
    ["randwrite-4k-qd64", "randread-4k-qd1", "randread-4k-qd8"].map((load) => `librbdfio-${load}`),
  );
  assert.deepEqual(left(text), [
    "8 benchmarks.librbdfio.workloads.precondition.jobname",
    "8 benchmarks.librbdfio.workloads.precondition.monitor",
    "9 benchmarks.librbdfio.workloads.test1.numjobs",
  ]);
});

test("values out of siphon's range are listed, and the others taken", () => {
  const text =
    "cluster: {}\nbenchmarks:\n  librbdfio: { time: [60, 9000], mode: [randread, trim], op_size: 4096 }\n";
  const { plans, leftOut } = imported(text);
  assert.deepEqual(
    plans.map(({ options }) => [options.rw, options.seconds]),
    [["randread", 60]],
  );
  assert.deepEqual(
    leftOut.map(({ why }) => why),
    ["siphon's rw cannot be trim", "siphon's seconds cannot be 9000"],
  );
});

test("hosts known by name only, and monitors beyond one a host, are told", () => {
  const text = `cluster:
  use_existing: False
  osds: ["root@node1.example", "^osds.list"]
  mons: { node1.example: { a: "192.0.2.11:6790", b: "192.0.2.11:6791" }, node2: { c: "node2:6789" } }
benchmarks: { librbdfio: { time: 1 } }
`;
  const { inventory, leftOut } = imported(text);
  assert.deepEqual(
    inventory?.hosts.map(({ name, address, mon }) => [name, address, mon]),
    [
      ["node1", "192.0.2.11", { v1: 6790 }],
      ["node2", "?", true],
    ],
  );
  const whys = leftOut.map(({ why }) => why);
  assert.deepEqual(whys.sort(), [
    "^osds.list names no single host",
    "siphon runs one monitor on a host: the first is taken",
    "the address of node2 is not told: fill it in",
  ]);
  assert.throws(() => parseInventory(inventory), /hosts\.1\.address/);
});

test("the written files can be read by their commands", async () => {
  const file = join(root, "cbt.yaml");
  for (const [text, read] of [
    [made, async (path: string) => parseBaselineOptions(await readBaselinePlan(path))],
    [existing, async (path: string) => parseLadderOptions(await readPlan(path))],
  ] as const) {
    writeFileSync(file, text);
    const out = mkdtempSync(join(root, "out-"));
    const { files } = await writeImport(await importCbt(file), join(out, "siphon.yaml"));
    assert.deepEqual(
      files.map(({ path }) => path).sort(),
      readdirSync(out)
        .sort()
        .map((name) => join(out, name)),
    );
    for (const { path, usage } of files) {
      assert.equal(readFileSync(path, "utf8").split("\n")[0], `# ${usage}`);
      if (/deploy/.test(usage)) parseInventory(parse(readFileSync(path, "utf8")));
      else await read(path);
    }
    await assert.rejects(
      importCbt(file).then((again) => writeImport(again, join(out, "siphon.yaml"))),
      (error: unknown) => error instanceof LabError && error.code === "SIPHON_REFUSED",
    );
  }
});

test("a file that is not a test plan, or has nothing for siphon, is refused", () => {
  const isUsage = (error: unknown) => error instanceof LabError && error.code === "SIPHON_USAGE";
  for (const text of ["[1, 2", "hosts: []", "cluster: {}\nbenchmarks: { radosbench: { time: 1 } }"]) {
    assert.throws(() => imported(text), isUsage, text);
  }
});

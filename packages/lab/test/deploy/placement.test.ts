import assert from "node:assert/strict";
import { test } from "node:test";
import { sshArguments } from "../../src/deploy/connection.ts";
import { type InventoryInput, parseInventory } from "../../src/deploy/inventory.ts";
import { clientConf, daemonsOn, hostConf, place } from "../../src/deploy/placement.ts";
import { furnishing } from "../../src/deploy/start.ts";

const host = (n: number, more: object = {}): InventoryInput["hosts"][number] => ({
  name: `node${n}`,
  address: `192.0.2.${n}`,
  directory: `/srv/ceph/${n}`,
  osds: [{ size: "2G" }],
  ...more,
});

function conf(n: number, input: InventoryInput) {
  const { spec, ...inventory } = parseInventory(input);
  const all = place({ spec, ...inventory });
  return hostConf(all[n], all, spec, "00000000-0000-4000-8000-000000000000");
}

test("daemons are named in the order of the inventory", () => {
  const hosts = [
    host(1, { mon: true, osds: [{}, {}] }),
    host(2, { mgr: true }),
    host(3, { mon: true, osds: [] }),
  ];
  assert.deepEqual(
    place(parseInventory({ hosts })).map((placement) => daemonsOn(placement).map(({ name }) => name)),
    [["mon.a", "osd.0", "osd.1"], ["mgr.x", "osd.2"], ["mon.b"]],
  );
});

test("a host's daemons listen at its addresses and keep to its directory", () => {
  const { global, osd, mgr, mon } = conf(1, {
    hosts: [host(1, { mon: true }), host(2, { mon: { v2: 13300 }, clusterAddress: "198.51.100.2" })],
    cluster: { msgr: "both" },
  });
  assert.equal(
    global.mon_host,
    "[v2:192.0.2.1:3300,v1:192.0.2.1:6789],[v2:192.0.2.2:13300,v1:192.0.2.2:6789]",
  );
  assert.deepEqual(
    [osd.public_addr, osd.cluster_addr, mgr.public_addr],
    ["192.0.2.2", "198.51.100.2", "192.0.2.2"],
  );
  for (const path of [
    osd.osd_data,
    mon.mon_data,
    mon.pid_file,
    osd.admin_socket,
    osd.log_file,
    global.run_dir,
  ]) {
    assert.match(path, /^\/srv\/ceph\/2/);
  }
});

test("replicas go to different hosts where there are enough of them", () => {
  const leaf = (hosts: InventoryInput["hosts"]) => conf(0, { hosts }).global.osd_crush_chooseleaf_type;
  assert.equal(leaf([host(1, { mon: true }), host(2), host(3)]), "1");
  assert.equal(leaf([host(1, { mon: true, osds: [{}, {}] }), host(2)]), "0");
});

test("an OSD's store is the device or the file that it was given", () => {
  const osds = [{ device: "/dev/sdb" }, { file: "/data/b", size: "4G" }, { size: "3G" }];
  const made = conf(0, { hosts: [host(1, { mon: true, osds })] });
  assert.equal(made["osd.0"].bluestore_block_path, "/dev/sdb");
  assert.deepEqual(made["osd.1"], {
    bluestore_block_path: "/data/b",
    bluestore_block_create: "true",
    bluestore_block_size: `${4 * 2 ** 30}`,
  });
  assert.deepEqual(made["osd.2"], { bluestore_block_size: `${3 * 2 ** 30}` });
});

test("clients here get the monitors and their own keyrings, and nothing of the hosts", () => {
  const inventory = parseInventory({ hosts: [host(1, { mon: true })] });
  const home = { dir: "/state/lab", path: (name: string) => `/state/lab/${name}` };
  const made = clientConf(place(inventory), inventory.spec, "fsid", home);
  assert.deepEqual(Object.keys(made), ["global"]);
  assert.equal(made.global.keyring, "/state/lab/$name.keyring");
  assert.ok(!JSON.stringify(made).includes("/srv/ceph"));
});

test("a host gets the keys of its own daemons; only monitors get all, to import them", () => {
  const inventory = parseInventory({ hosts: [host(1, { mon: true }), host(2)] });
  const all = place(inventory);
  const keys = ["mon.", "client.admin", "mgr.x", "osd.0", "osd.1"].map((name) => ({
    name,
    key: `key-of-${name}`,
  }));
  const decoded = (n: number) => {
    const lines = furnishing(all[n], { conf: {}, keys, monmap: Buffer.from("map") });
    return lines
      .map((line) => line.replace(/'(\S+)'/, (_, text) => Buffer.from(text, "base64").toString()))
      .join("\n");
  };
  assert.match(decoded(0), /key-of-client\.admin/);
  assert.match(decoded(1), /key-of-osd\.1/);
  assert.doesNotMatch(decoded(1), /key-of-(mon|client|mgr|osd\.0)/);
});

test("ssh never prompts, forwards nothing and connects to known hosts only", () => {
  const options = (input: object) =>
    sshArguments(parseInventory({ hosts: [host(1, { mon: true, ...input })] }).hosts[0]);
  for (const args of [options({}), options({ hostKey: "ssh-ed25519 AAAA" })]) {
    for (const needed of [
      "StrictHostKeyChecking=yes",
      "BatchMode=yes",
      "ForwardAgent=no",
      "ClearAllForwardings=yes",
    ]) {
      assert.ok(args.includes(needed), needed);
    }
  }
  assert.ok(options({ hostKey: "ssh-ed25519 AAAA" }).includes("HostKeyAlias=node1"));
  assert.ok(options({ ssh: { identity: "/k/50%/id" } }).includes('IdentityFile="/k/50%%/id"'));
});

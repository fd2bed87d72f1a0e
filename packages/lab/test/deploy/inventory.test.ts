import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseInventory, readInventory } from "../../src/deploy/inventory.ts";
import { LabError } from "../../src/errors.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-inventory-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const host = { name: "node1", address: "192.0.2.11", mon: true, osds: [{ size: "2G" }] };

/** The complaint about an inventory. */
function complaint(input: unknown): string {
  try {
    parseInventory(input);
  } catch (error) {
    assert.ok(error instanceof LabError && error.code === "SIPHON_USAGE", String(error));
    return error.message;
  }
  return assert.fail("it was accepted");
}

test("a host with a monitor and an OSD is enough: everything else has a default", () => {
  const { name, hosts, spec } = parseInventory({ hosts: [host] });
  assert.equal(name, "lab");
  assert.deepEqual(hosts, [
    {
      name: "node1",
      address: "192.0.2.11",
      clusterAddress: "192.0.2.11",
      ssh: {
        host: "192.0.2.11",
        port: 22,
        user: undefined,
        identity: undefined,
        knownHosts: undefined,
        sudo: false,
      },
      hostKeys: [],
      directory: "/var/lib/siphon/lab",
      mon: { v2: 3300, v1: 6789 },
      mgr: true,
      osds: [{ size: 2 * 2 ** 30 }],
    },
  ]);
  assert.deepEqual(
    [spec.mons, spec.osds, spec.replicas, spec.auth, spec.store],
    [1, 1, 1, "cephx", "bluestore"],
  );
});

test("a host's settings override the settings for all hosts", () => {
  const { hosts } = parseInventory({
    directory: "/srv/all",
    ssh: { user: "op", port: 2222, sudo: true },
    hosts: [
      { ...host, ssh: { host: "jump.example", user: "root", sudo: false } },
      { ...host, name: "node2", address: "192.0.2.12", mon: false, directory: "/srv/two/own", osds: [{}] },
    ],
    cluster: { osdSize: "20G" },
  });
  assert.deepEqual(hosts[0].ssh, {
    host: "jump.example",
    port: 2222,
    user: "root",
    identity: undefined,
    knownHosts: undefined,
    sudo: false,
  });
  assert.deepEqual([hosts[0].directory, hosts[1].directory], ["/srv/all", "/srv/two/own"]);
  assert.deepEqual([hosts[1].ssh.user, hosts[1].ssh.sudo], ["op", true]);
  assert.deepEqual(hosts[1].osds, [{ size: 20 * 2 ** 30 }]);
});

test("OSDs have a device, a named file, or a file in the host's directory", () => {
  const osds = [
    { device: "/dev/disk/by-id/nvme-X_1" },
    { file: "/data/osd.img", size: "4G" },
    { size: "3G" },
  ];
  const [{ osds: parsed }] = parseInventory({ hosts: [{ ...host, osds }] }).hosts;
  assert.deepEqual(parsed, [
    { device: "/dev/disk/by-id/nvme-X_1" },
    { file: "/data/osd.img", size: 4 * 2 ** 30 },
    { size: 3 * 2 ** 30 },
  ]);
});

test("what cannot be is said, each problem in a clause", () => {
  const two = (change: object) => ({ hosts: [host, { ...host, ...change }] });
  assert.match(complaint({ hosts: [] }), /hosts: /);
  assert.match(complaint({ hosts: [{ ...host, address: "node1" }] }), /hosts\.0\.address: /);
  assert.match(complaint({ hosts: [{ ...host, disks: 3 }] }), /hosts\.0: .*disks/);
  assert.match(
    complaint({ hosts: [{ ...host, osds: [{ size: "much" }] }] }),
    /hosts\.0\.osds\.0\.size: "much" is no size/,
  );
  assert.match(
    complaint(two({})),
    /the host node1 is there twice; two monitors want to listen at 192\.0\.2\.11:6789/,
  );
  assert.match(complaint({ hosts: [{ ...host, mon: false }] }), /no host has a monitor/);
  assert.match(complaint({ hosts: [{ ...host, osds: [] }] }), /no host has an OSD/);
  assert.match(
    complaint(two({ name: "b", address: "192.0.2.2", mon: false, osds: [] })),
    /b has nothing to run/,
  );
  assert.match(
    complaint({ hosts: [{ ...host, osds: [{ device: "/dev/sdb" }, { device: "/dev/sdb" }] }] }),
    /node1 has \/dev\/sdb twice/,
  );
  assert.match(complaint({ hosts: [{ ...host, osds: [{ device: "/dev/sdb", size: "2G" }] }] }), /used whole/);
  assert.match(
    complaint({
      hosts: [
        { ...host, mgr: true },
        { ...host, name: "b", mgr: true },
      ],
    }),
    /one manager/,
  );
  assert.match(complaint({ hosts: [host], cluster: { replicas: 2 } }), /2 replicas need as many OSDs/);
});

test("nothing that a shell, ssh or ceph.conf would read otherwise gets through", () => {
  for (const path of [
    "/",
    "/srv",
    "relative/path",
    "/srv/a b",
    "/srv/$(reboot)",
    "/srv/../etc",
    "/srv/x;y",
    "/srv/",
  ]) {
    assert.match(complaint({ directory: path, hosts: [host] }), /directory: /, path);
  }
  assert.match(complaint({ hosts: [{ ...host, name: "a;b" }] }), /name: /);
  assert.match(complaint({ hosts: [{ ...host, ssh: { host: "-oProxyCommand=x" } }] }), /ssh\.host: /);
  assert.match(complaint({ hosts: [{ ...host, ssh: { user: "-x" } }] }), /ssh\.user: /);
  assert.match(
    complaint({ hosts: [{ ...host, hostKey: "ssh-ed25519 AAAA\nnode2 ssh-rsa AAAA" }] }),
    /hostKey: /,
  );
});

test("files of ssh are found from where the inventory is, or from home", async () => {
  const file = join(dir, "inventory.yaml");
  writeFileSync(
    file,
    [
      "ssh: { identity: keys/id, knownHosts: ~/.ssh/lab }",
      "hosts:",
      "  - { name: node1, address: 192.0.2.11, mon: true, osds: [{ size: 2G }] }",
    ].join("\n"),
  );
  const [{ ssh }] = (await readInventory(file)).hosts;
  assert.equal(ssh.identity, join(dir, "keys/id"));
  assert.equal(ssh.knownHosts, join(homedir(), ".ssh/lab"));
});

test("an inventory that cannot be read is named", async () => {
  const codeOf = (file: string) => readInventory(file).catch((error: LabError) => error.code);
  assert.equal(await codeOf(join(dir, "none.yaml")), "SIPHON_NOT_FOUND");
  writeFileSync(join(dir, "broken.yaml"), "hosts: [");
  assert.equal(await codeOf(join(dir, "broken.yaml")), "SIPHON_USAGE");
});

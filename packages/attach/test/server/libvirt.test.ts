import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { howToConnect } from "../../src/server/how-to-connect.ts";
import { obstacleTo, userSetting } from "../../src/server/libvirt.ts";

const directory = mkdtempSync(join(tmpdir(), "libvirt-"));
after(() => rmSync(directory, { recursive: true, force: true }));
chmodSync(directory, 0o755);

const needsRoot = { skip: process.geteuid!() !== 0 };
const qemu = { name: "libvirt-qemu", uid: 64055, gids: [108, 64055] };

test("the user of libvirt's QEMU is the last that its settings name", () => {
  assert.equal(userSetting('#user = "libvirt-qemu"\n'), undefined);
  assert.equal(userSetting('user = "qemu"\n  user="+107"  # as a number\n#user = "x"\n'), "107");
  assert.equal(userSetting('swtpm_user = "tss"\n'), undefined);
});

test("what keeps a user from a socket is the socket or a directory above it", needsRoot, () => {
  const above = join(directory, "above");
  mkdirSync(above);
  const path = join(above, "s");
  writeFileSync(path, "");
  for (const [uid, gid, mode, obstacle] of [
    [0, 0, 0o600, path],
    [0, 0, 0o666, undefined],
    [64055, 0, 0o600, undefined],
    [64055, 0, 0o466, path],
    [0, 108, 0o660, undefined],
    [0, 108, 0o606, path],
    [0, 64055, 0o620, undefined],
  ] as const) {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    assert.equal(obstacleTo(path, qemu), obstacle, `${uid} ${gid} ${mode.toString(8)}`);
    assert.equal(obstacleTo(path, { name: "root", uid: 0, gids: [0] }), undefined);
  }
  chmodSync(above, 0o700);
  assert.equal(obstacleTo(path, qemu), above);
});

test("attaching explains why libvirt could not use the socket, and how to fix it", needsRoot, () => {
  const path = join(directory, "s");
  writeFileSync(path, "", { mode: 0o600 });
  const vhost = { kind: "vhost", path, queues: undefined, readOnly: false } as const;
  const nbd = { kind: "nbd", address: { path }, exportName: "p/i", readOnly: false, tls: false } as const;
  const host = { qemuVersion: "10.0.13", libvirtUser: qemu };
  for (const point of [vhost, nbd]) {
    assert.match(
      howToConnect(point, "d", host).libvirtHint!,
      /user libvirt-qemu, who may not open .*: make libvirt-qemu the owner of the socket/,
    );
    assert.equal(howToConnect(point, "d", { ...host, libvirtUser: undefined }).libvirtHint, undefined);
  }
  assert.doesNotMatch(howToConnect(vhost, "d", host).libvirt, /<reconnect enabled/);
  chownSync(path, qemu.uid, 0);
  assert.equal(howToConnect(vhost, "d", host).libvirtHint, undefined);
  assert.match(howToConnect(vhost, "d", host).libvirt, /<reconnect enabled/);
  chmodSync(directory, 0o700);
  assert.match(howToConnect(vhost, "d", host).libvirtHint!, /may not enter .*libvirt-\w+: put the socket/);
  chmodSync(directory, 0o755);
  const tcp = { ...nbd, address: { host: "127.0.0.1", port: 1 } };
  assert.equal(howToConnect(tcp, "d", host).libvirtHint, undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AttachPoint,
  libvirtXml,
  qemuArguments,
  qemuVersions,
  shellLine,
} from "../../src/server/connect-hints.ts";

const nbd: AttachPoint = {
  kind: "nbd",
  address: { path: "/run/vm 'one'.sock" },
  exportName: "pool/vm1",
  readOnly: false,
  tls: false,
};
const vhost: AttachPoint = { kind: "vhost", path: "/run/a,b.sock", queues: 4, readOnly: false };

test("QEMU is told the socket and the export, and to wait while the server restarts", () => {
  const [flag, json] = qemuArguments(nbd, "disk0", undefined);
  assert.equal(flag, "-blockdev");
  const { server, export: name, "reconnect-delay": delay } = JSON.parse(json!);
  assert.deepEqual(
    { server, name, delay },
    { server: { type: "unix", path: "/run/vm 'one'.sock" }, name: "pool/vm1", delay: 60 },
  );
});

test("TLS brings its credentials along", () => {
  const words = qemuArguments(
    { ...nbd, address: { host: "192.0.2.1", port: 10809 }, tls: true },
    "disk0",
    undefined,
  );
  assert.match(words[1]!, /^tls-creds-x509,id=disk0-tls/);
  assert.match(words[3]!, /"tls-creds":"disk0-tls"/);
  assert.match(
    libvirtXml({ ...nbd, address: { host: "192.0.2.1", port: 10809 }, tls: true }),
    /name='pool\/vm1' tls='yes'/,
  );
});

test("vhost-user gets shared memory, and a comma in a path stays one", () => {
  const words = qemuArguments(vhost, "disk0", "7.2.22");
  assert.ok(words.includes("socket,id=disk0,path=/run/a,,b.sock,reconnect=1"));
  assert.ok(words.includes("memory-backend-memfd,id=disk0-memory,size=SIZE,share=on"));
  assert.ok(words.includes("vhost-user-blk-pci,chardev=disk0,num-queues=4"));
  assert.match(libvirtXml(vhost), /queues='4'/);
});

test("QEMU takes a queue for each processor unless it is told how many", () => {
  const point = { ...vhost, queues: undefined };
  assert.ok(qemuArguments(point, "disk0", undefined).includes("vhost-user-blk-pci,chardev=disk0"));
  assert.doesNotMatch(libvirtXml(point), /queues/);
});

test("what a path holds stays within its attribute, and a word within its quotes", () => {
  assert.match(libvirtXml(nbd), /socket='\/run\/vm &apos;one&apos;.sock'/);
  assert.equal(shellLine(["a b", "it's", "plain=1"]), `'a b' 'it'\\''s' plain=1`);
});

test("QEMU is told to connect again in the word that its version has", () => {
  const chardev = (version: string | undefined) => qemuArguments(vhost, "disk0", version)[5];
  for (const old of ["4.2.1", "7.2.22", "9.1.3"]) {
    assert.match(chardev(old)!, /,reconnect=1$/);
    assert.deepEqual(qemuVersions(vhost, old), { from: "4.2", before: "9.2" });
  }
  for (const recent of ["9.2.0", "10.0.13", "11.1.3", undefined]) {
    assert.match(chardev(recent)!, /,reconnect-ms=1000$/);
    assert.deepEqual(qemuVersions(vhost, recent), { from: "9.2" });
  }
  assert.deepEqual(qemuVersions(nbd, "7.2.22"), { from: "4.2" });
});

test("where libvirt's QEMU could not connect it is not told to try for ever", () => {
  assert.match(libvirtXml(vhost), /<reconnect enabled='yes'/);
  assert.doesNotMatch(libvirtXml(vhost, { isClosed: true }), /<reconnect enabled/);
  assert.match(libvirtXml(nbd, { isClosed: true }), /<reconnect delay/);
});

test("a libvirt that does not let QEMU wait for an NBD server is named, and what waits", () => {
  assert.match(libvirtXml(nbd, { version: "9.0.0" }), /libvirt 9\.0\.0 ignores .*\n\s+<reconnect delay/);
  for (const version of ["11.3.0", undefined]) assert.doesNotMatch(libvirtXml(nbd, { version }), /ignores/);
  assert.doesNotMatch(libvirtXml(vhost, { version: "9.0.0" }), /ignores/);
});

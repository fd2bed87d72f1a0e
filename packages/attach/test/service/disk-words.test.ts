import assert from "node:assert/strict";
import { test } from "node:test";
import { defineDisk, usualName } from "../../src/service/disk-words.ts";

const defaults = { socketDirectory: "/run/siphon", access: {} };

test("a disk that says nothing of its socket has one of its name, whose the service's options say it is", async () => {
  const { request } = await defineDisk("vm1", { image: "pool/vm1" }, { ...defaults, access: { user: "0" } });
  assert.deepEqual(request.vhost, ["/run/siphon/vm1.sock"]);
  assert.equal(request.nbd, undefined);
  assert.deepEqual(request.access, { uid: 0, mode: 0o600 });
});

test("the usual socket of a disk with workers is one of NBD, and it may have one of vhost-user", async () => {
  const words = { image: "pool/vm1", workers: "4" };
  const { request } = await defineDisk("vm1", words, defaults);
  assert.deepEqual([request.nbd, request.vhost], [[{ path: "/run/siphon/vm1.sock" }], undefined]);
  assert.equal(request.workers, 4);
  const { request: other } = await defineDisk("vm1", { ...words, vhost: "/vm1.sock" }, defaults);
  assert.deepEqual([other.nbd, other.vhost, other.workers], [undefined, ["/vm1.sock"], 4]);
});

test("a disk's words are the options of siphon attach", async () => {
  const { request, image } = await defineDisk(
    "vm1",
    {
      ...{ image: "pool/ns/vm1@snap", nbd: "127.0.0.1:10809", "read-only": "yes", cache: "writethrough" },
      ...{ limit: "iops=10", "on-error": "pause", "tls-certs": "/etc/certs" },
      ...{ "encryption-format": ["luks1", "luks"], "encryption-passphrase-file": ["/a", "/b"] },
    },
    // A port has no owner.
    { ...defaults, access: { user: "0" } },
  );
  assert.deepEqual(image, { pool: "pool", namespace: "ns", image: "vm1", snapshot: "snap" });
  assert.deepEqual(request, {
    images: [image],
    nbd: [{ host: "127.0.0.1", port: 10809 }],
    ...{ readOnly: true, cache: "writethrough", onError: "pause", tlsCertificates: "/etc/certs" },
    limits: { iops: { rate: 10, burst: 0, burstSeconds: 1 } },
    encryption: [
      { version: 1, passphraseFile: "/a" },
      { version: undefined, passphraseFile: "/b" },
    ],
  });
});

test("a disk may migrate", async () => {
  const { request } = await defineDisk("vm1", { image: "pool/vm1", migratable: "yes" }, defaults);
  assert.equal(request.migratable, true);
});

test("what makes no disk is refused with a sentence", async () => {
  const image = "pool/vm1";
  for (const [name, words, said] of [
    ["../vm1", { image }, /invalid disk name/],
    ["", { image }, /invalid disk name ""/],
    [".hidden", { image }, /invalid disk name/],
    ["vm1", {}, /needs an image/],
    ["vm1", { image: "vm1" }, /invalid image name vm1/],
    ["vm1", { image, vhost: "vm1.sock" }, /not an absolute path/],
    ["vm1", { image, nbd: "vm1.sock" }, /not an absolute path/],
    ["vm1", { image, colour: "red" }, /no option "colour"/],
    ["vm1", { image, cache: "unsafe" }, /cache cannot be unsafe/],
    ["vm1", { image, queues: "0" }, /queues cannot be 0/],
    ["vm1", { image, workers: "65" }, /workers cannot be 65/],
    ["vm1", { image, workers: "2", cache: "writeback" }, /cannot have a cache/],
    ["vm1", { image, workers: "2", "encryption-passphrase-file": "/a" }, /workers cannot decrypt/],
    ["vm1", { image, "read-only": "perhaps" }, /read-only cannot be perhaps/],
    ["vm1", { image, migratable: "yes", cache: "writethrough" }, /with a cache cannot migrate/],
    ["vm1", { image, migratable: "yes", workers: "2" }, /with workers cannot migrate/],
    ["vm1", { image, limit: "speed=9" }, /no limit speed/],
    ["vm1", { image: ["a/b", "a/c"] }, /image must be one line of text/],
    ["vm1", { image: "pool/vm1\nlimit = iops=1" }, /image must be one line of text/],
    ["vm1", { image, "encryption-format": ["luks1"] }, /as often as/],
    ["vm1", { image, "socket-user": "nobody-of-this-name" }, /no user/],
  ] as const) {
    await assert.rejects(defineDisk(name, words, defaults), said);
  }
});

test("an image's usual name may be a file's", () => {
  assert.equal(usualName("pool/ns/vm1@snap"), "pool-ns-vm1-snap");
});

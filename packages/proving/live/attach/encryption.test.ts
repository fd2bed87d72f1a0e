import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createImage, LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { Secret } from "@siphon/wire";
import { NbdClient } from "../../../attach/test/support/nbd-client.ts";
import { formatEncrypted } from "../../../rbd/src/encryption/encryption.ts";
import { ImagePool } from "../../../rbd/src/image-pool.ts";
import { OverlappingWrites } from "../../../rbd/test/support/overlapping-writes.ts";
import { run } from "../../support/attach/run.ts";
import { SiphonAttach } from "../../support/attach/siphon-attach.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-attach-luks-"));
process.env.SIPHON_STATE_DIR = join(directory, "state");
const pool = "libvirt-pool";
const socket = join(directory, "nbd.sock");
const MiB = 1 << 20;
const passphrase = join(directory, "passphrase");
const clonesPassphrase = join(directory, "clones-passphrase");
const images = [
  { image: "one", format: "luks1" },
  { image: "two", format: "luks2" },
] as const;
let ceph: LocalCluster;
let server: SiphonAttach | undefined;

before(async () => {
  writeFileSync(passphrase, "correct horse");
  writeFileSync(clonesPassphrase, "battery staple");
  const spec = { osds: 1, replicas: 1, store: "memstore", auth: "cephx", pgs: 8 } as const;
  // Seconds after which a killed client no longer counts as alive, and its lock can be taken.
  ceph = await LocalCluster.up({
    name: "attach-luks",
    ...spec,
    settings: { osd_client_watch_timeout: 3 },
  });
  for (const { image, format } of images) {
    await createImage(ceph.admin, { image, size: 64 * MiB });
    await encrypt(image, format === "luks1" ? 1 : 2, "correct horse");
  }
});

after(async () => {
  await server?.kill();
  await ceph?.down();
  rmSync(directory, { recursive: true, force: true });
});

/** Formats the image with a passphrase that is quick to test. */
async function encrypt(name: string, version: 1 | 2, text: string): Promise<void> {
  await using cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  const images = await ImagePool.open(cluster, pool);
  await using image = await images.open(name);
  using secret = new Secret(Buffer.from(text));
  await formatEncrypted(image, secret, {
    ...{ version, keyBits: 256, alignment: 4 * MiB, isClone: image.header.parent !== undefined },
    derivation: { type: "pbkdf2", hash: "sha256", iterations: 1000 },
    digestIterations: 1000,
  });
}

async function attach(names: readonly string[], ...args: string[]): Promise<void> {
  // The server of a failed test.
  await server?.kill();
  const specs = names.map((name) => `${pool}/${name}`);
  server = await SiphonAttach.start(...specs, "--nbd", socket, "--conf", ceph.conf, ...args);
}

const key = ["--encryption-passphrase-file", passphrase];
const uri = (image: string) => `nbd+unix:///${pool}/${image}?socket=${socket}`;

async function qemuIo(args: string[], ...commands: string[]): Promise<void> {
  const said = await run("qemu-io", [...commands.flatMap((each) => ["-c", each]), ...args]);
  assert.doesNotMatch(said, /fail|error|verification/i);
}

/** A QEMU disk of librbd with librbd's own encryption: it must show the same data. */
function librbd(image: string, format: string): string[] {
  // QEMU still calls LUKS1 "luks".
  const encryption = `encrypt.format=${format === "luks1" ? "luks" : format},encrypt.key-secret=s`;
  return [
    ...["--object", `secret,id=s,file=${passphrase}`, "--image-opts"],
    `driver=rbd,pool=${pool},image=${image},conf=${ceph.conf},${encryption}`,
  ];
}

/** A QEMU disk of the stored image, decrypted by QEMU's LUKS1 driver: it must show the same data. */
function qemuLuks(image: string): string[] {
  const stored = `file.driver=rbd,file.pool=${pool},file.image=${image},file.conf=${ceph.conf}`;
  return [
    ...["--object", `secret,id=s,file=${passphrase}`, "--image-opts"],
    `driver=luks,key-secret=s,${stored}`,
  ];
}

test("librbd and QEMU read what siphon writes to encrypted images, and siphon reads what they write", async () => {
  await attach(["one", "two"], ...key);
  assert.deepEqual(
    server!.told.map(({ size }) => size),
    [60 * MiB, 48 * MiB],
  );
  for (const { image } of images) {
    await qemuIo(
      ["-f", "raw", uri(image)],
      ...["write -P 7 1M 9M", "write -P 8 12345 6789", "write -P 9 20971000 1000", "write -z -u 4M 1M"],
      ...["write -P 1 24M 4M", "write -P 2 28M 8M", "discard 26M 8M", "flush"],
      ...["read -P 1 24M 2M", "read -P 8 12345 6789", "read -P 0 4M 1M"],
    );
    const map = JSON.parse(await run("nbdinfo", ["--map", "--json", uri(image)])) as { type: number }[];
    assert.ok(map.some(({ type }) => type !== 0) && map.some(({ type }) => type === 0));
  }
  await server!.stop();
  const written = ["read -P 7 5M 5M", "read -P 8 12345 6789", "read -P 9 20971000 1000", "read -P 0 4M 1M"];
  for (const { image, format } of images) {
    await qemuIo(
      librbd(image, format),
      ...written,
      "write -P 3 40M 1M",
      "write -P 4 100 600",
      "discard 8M 64k",
    );
  }
  await qemuIo(qemuLuks("one"), "read -P 7 5M 3M", "read -P 4 100 600", "write -P 5 44M 70k", "flush");
  await attach(["one", "two"], "--encryption-format", "luks", ...key);
  for (const { image } of images) {
    await qemuIo(
      ["-f", "raw", uri(image)],
      ...["read -P 3 40M 1M", "read -P 4 100 600", "read -P 8 12345 6789", "read -P 7 9M 1M"],
    );
  }
  await qemuIo(["-f", "raw", uri("one")], "read -P 5 44M 70k");
  await server!.stop();
});

test("a clone with its own key shows its parent's data", async () => {
  await run("rbd", ["-c", ceph.conf, "snap", "create", "--no-progress", `${pool}/two@base`]);
  const cloning = ["clone", "--rbd-default-clone-format", "2", `${pool}/two@base`, `${pool}/clone`];
  await run("rbd", ["-c", ceph.conf, ...cloning]);
  await encrypt("clone", 1, "battery staple");
  await assert.rejects(
    attach(["clone"], "--encryption-passphrase-file", clonesPassphrase),
    /libvirt-pool\/clone: .*key|passphrase/,
  );
  const keys = ["--encryption-passphrase-file", clonesPassphrase, ...key];
  await attach(["clone"], ...keys);
  await qemuIo(
    ["-f", "raw", uri("clone")],
    ...["read -P 3 40M 1M", "read -P 8 12345 6789", "write -P 6 12400 100", "write -P 6 41942528 1024"],
    ...["read -P 8 12345 55", "read -P 6 12400 100", "read -P 8 12500 6000", "read -P 3 41943552 1000000"],
  );
  await server!.stop();
});

test("a wrong passphrase and a missing file are reported, and no socket or lock remains", async () => {
  const asked = attach(["one"], "--encryption-passphrase-file", clonesPassphrase);
  await assert.rejects(asked, /libvirt-pool\/one: .*passphrase/);
  await assert.rejects(
    attach(["one"], "--encryption-passphrase-file", join(directory, "missing")),
    /unable to open passphrase file .*missing/,
  );
  assert.ok(!existsSync(socket));
});

test("a server killed during overlapping writes to parts of sectors tears no sector and keeps what it acknowledged", async () => {
  await attach(["two"], ...key);
  const client = await NbdClient.connect(socket);
  await client.go(`${pool}/two`);
  const region = 64 * 1024;
  const offset = 32 * MiB;
  client.send({ type: 6, offset, length: region });
  await client.simpleReply();
  const model = new OverlappingWrites();
  const sent = new Map<bigint, ReturnType<OverlappingWrites["sent"]>>();
  for (let value = 1; value <= 255; value++) {
    const length = 512 * (1 + Math.floor(Math.random() * 20));
    const at = offset + 512 * Math.floor((Math.random() * (region - length)) / 512);
    const write = model.sent(at, length, value);
    sent.set(client.send({ type: 1, offset: at, payload: Buffer.alloc(length, value) }), write);
    // Keeps twenty writes in flight; the last ones are unanswered when the server is killed.
    if (value > 20 && value < 200) model.done(sent.get((await client.simpleReply()).cookie)!);
  }
  await server!.kill();
  await attach(["two"], ...key);
  const again = await NbdClient.connect(socket);
  await again.go(`${pool}/two`);
  again.send({ type: 0, offset, length: region });
  const { data } = await again.simpleReply(region);
  model.assertLegal(data, offset);
  again.socket.destroy();
  await server!.stop();
});

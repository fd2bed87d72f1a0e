import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { Secret } from "@siphon/wire";
import type { CreateOptions } from "../../../rbd/src/directory/create-image.ts";
import { formatEncrypted } from "../../../rbd/src/encryption/encryption.ts";
import { EncryptionError } from "../../../rbd/src/encryption/encryption-error.ts";
import type { KeyDerivation } from "../../../rbd/src/encryption/key-derivation.ts";
import { toRead } from "../../../rbd/src/image/open-options.ts";
import type { Image } from "../../../rbd/src/image.ts";
import { ImagePool } from "../../../rbd/src/image-pool.ts";
import { readBytes, writeBytes, zeroBytes } from "../../../rbd/src/io/image-operations.ts";

const pool = "images";
const mebibyte = 2 ** 20;
const derivation: KeyDerivation = { type: "pbkdf2", hash: "sha256", iterations: 1000 };
const directory = mkdtempSync(join(tmpdir(), "siphon-layers-"));
const passphrases = { grandparent: "first", parent: "second", child: "third" } as const;
type Layer = keyof typeof passphrases;
let ceph: LocalCluster;
let cluster: Cluster;
let images: ImagePool;

before(async () => {
  // librbd depends on BlueStore's distinction between holes and zeros within an object; memstore has none.
  ceph = await LocalCluster.up({
    name: "rbd-layers",
    osds: 1,
    replicas: 1,
    store: "bluestore",
    pgs: 8,
    pool,
  });
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  images = await ImagePool.open(cluster, pool);
  for (const [name, text] of Object.entries(passphrases)) writeFileSync(join(directory, name), text);
});

after(async () => {
  cluster?.close();
  await ceph?.down();
  rmSync(directory, { recursive: true });
});

for (const { title, shape } of [
  { title: "plain", shape: {} },
  { title: "striped", shape: { objectSize: mebibyte, stripeUnit: 65_536, stripeCount: 4 } },
] satisfies { title: string; shape: CreateOptions }[]) {
  test(`a clone of an encrypted clone, each with its own key, reads and copies up the data of all layers: ${title}`, async () => {
    const [grandparent, parent, child] = ["a", "b", "c"].map((name) => `${title}-${name}`) as [
      string,
      string,
      string,
    ];
    const model = Buffer.alloc(20 * mebibyte);
    const write = async (
      to: Awaited<ReturnType<Image["openEncrypted"]>>,
      offset: number,
      length: number,
      value: number,
    ) => {
      model.fill(value, offset, offset + length);
      await writeBytes(to, offset, Buffer.alloc(length, value));
    };
    // Larger than its data, because a clone's own header takes space from the visible part of its parent.
    await images.create(grandparent, 44 * mebibyte, shape);
    await format(grandparent, "grandparent", 1);
    librbd(grandparent, "luks1", "grandparent", "write", "70000", "written by librbd");
    model.write("written by librbd", 70_000);
    {
      await using image = await images.open(grandparent);
      const open = await image.openEncrypted(keys("grandparent"));
      await write(open, 4 * mebibyte - 100, 5000, 0x11);
      await write(open, 9 * mebibyte, mebibyte, 0x12);
    }
    await cloneOf(grandparent, parent, shape);
    await format(parent, "parent", 2);
    {
      await using image = await images.open(parent);
      await using second = await images.open(parent, toRead());
      await assert.rejects(second.openEncrypted(keys("parent")), missingKey);
      await assert.rejects(second.openEncrypted(keys("parent", "child")), missingKey);
      await assert.rejects(
        second.openEncrypted(keys("parent", "grandparent", "grandparent")),
        /2 keys|3 keys/,
      );
      // Writing or flattening without decryption would mix both keys, so it is refused.
      await assert.rejects(image.write(20 * mebibyte, Buffer.alloc(512)), missingKey);
      await assert.rejects(image.flatten(), missingKey);
      const open = await image.openEncrypted(keys("parent", "grandparent"));
      await assertHolds(open, model);
      await write(open, 70_010, 3, 0x21);
      await write(open, 10 * mebibyte - 512, 1024, 0x22);
      await zeroBytes(open, 9 * mebibyte, 4096);
      model.fill(0, 9 * mebibyte, 9 * mebibyte + 4096);
      await assertHolds(open, model);
    }
    await cloneOf(parent, child, shape);
    await format(child, "child", 1);
    {
      await using image = await images.open(child);
      const open = await image.openEncrypted(keys("child", "parent", "grandparent"));
      await assertHolds(open, model);
      await image.snapshots.create("before");
      const then = Buffer.from(model);
      await write(open, 9 * mebibyte + 100, 10, 0x31);
      await assertHolds(open, model);
      // Beyond the new end, the snapshot shows the parent's data under the clone's key.
      await image.resize(open.dataOffset + 6 * mebibyte, { allowShrink: true });
      await using snapshot = await images.open(child, toRead("before"));
      await assertHolds(await snapshot.openEncrypted(keys("child", "parent", "grandparent")), then);
      await image.resize(open.dataOffset + 20 * mebibyte);
      model.fill(0, 6 * mebibyte);
      await assertHolds(open, model);
      await image.flatten();
      await assertHolds(open, model);
    }
    // Every release of librbd opens a flattened image with a single key, and reads holes of the parents' objects as zeros.
    assert.equal(
      librbd(child, "luks1", "child", "read", "70000", "17"),
      model.toString("latin1", 70_000, 70_017),
    );
    const read = librbd(child, "luks1", "child", "read", String(4 * mebibyte - 4096), String(16_384));
    assert.equal(read, model.toString("latin1", 4 * mebibyte - 4096, 4 * mebibyte + 12_288));
  });
}

test("a clone that was not formatted uses its parent's key, and a formatted clone of a plain image shows the image's data", async () => {
  await images.create("base", 20 * mebibyte);
  {
    await using base = await images.open("base");
    await base.write(5 * mebibyte, Buffer.from("plain"));
  }
  await cloneOf("base", "locked");
  await format("locked", "parent", 1);
  await cloneOf("locked", "unformatted");
  for (const name of ["locked", "unformatted"]) {
    await using image = await images.open(name);
    const open = await image.openEncrypted(keys("parent"));
    assert.equal((await readBytes(open, 5 * mebibyte, 5)).toString(), "plain");
    await writeBytes(open, 5 * mebibyte + 5, Buffer.from(` ${name}`));
    await image.flush();
    if (name === "locked") continue;
    assert.equal((await readBytes(open, 5 * mebibyte, 17)).toString(), "plain unformatted");
    await image.flatten();
    assert.equal((await readBytes(open, 5 * mebibyte, 17)).toString(), "plain unformatted");
  }
  assert.equal(
    librbd("unformatted", "luks1", "parent", "read", String(5 * mebibyte), "17"),
    "plain unformatted",
  );
});

test("copies and exports of a clone with its own key are refused without that key", async () => {
  await images.create("source", 20 * mebibyte);
  await format("source", "grandparent", 1);
  await cloneOf("source", "keyed");
  await format("keyed", "parent", 1);
  await assert.rejects(images.copy("keyed", "copied"), missingKey);
  await assert.rejects(images.deepCopy("keyed", "copied", images, { flatten: true }), missingKey);
  await images.deepCopy("keyed", "twin");
  await using twin = await images.open("twin", toRead());
  await twin.openEncrypted(keys("parent", "grandparent"));
  const names = (await images.list()).map(({ name }) => name);
  assert.ok(!names.includes("copied"));
});

async function format(name: string, layer: Layer, version: 1 | 2): Promise<void> {
  await using image = await images.open(name);
  const { objectSize, stripeCount, parent } = image.header;
  using secret = new Secret(Buffer.from(passphrases[layer]));
  await formatEncrypted(image, secret, {
    ...{ version, alignment: objectSize * stripeCount, derivation, digestIterations: 1000 },
    isClone: parent !== undefined,
  });
}

async function cloneOf(name: string, clone: string, shape: CreateOptions = {}): Promise<void> {
  await using image = await images.open(name);
  await image.snapshots.create("s");
  await images.clone(name, "s", clone, images, { ...shape, version: 2 });
}

function keys(...layers: Layer[]) {
  return layers.map((layer) => ({ passphrase: new Secret(Buffer.from(passphrases[layer])) }));
}

/** Asserts that the image's data begins with these bytes. */
async function assertHolds(image: Parameters<typeof readBytes>[0], expected: Buffer): Promise<void> {
  for (let at = 0; at < expected.length; at += mebibyte) {
    const bytes = await readBytes(image, at, mebibyte);
    const shown = expected.subarray(at, at + mebibyte);
    if (!bytes.equals(shown))
      assert.fail(`byte ${at + bytes.findIndex((byte, i) => byte !== shown[i])} is another`);
  }
}

function missingKey(error: unknown): boolean {
  const codes = ["SIPHON_ENCRYPTION_PASSPHRASE", "SIPHON_ENCRYPTION_LAYERS"];
  return error instanceof EncryptionError && codes.includes(error.code);
}

function librbd(image: string, version: string, layer: Layer, ...what: string[]): string {
  const script = fileURLToPath(new URL("../../support/rbd/encrypted-image.py", import.meta.url));
  const args = [script, ceph.conf, pool, image, version, join(directory, layer), ...what];
  return execFileSync(process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3", args).toString("latin1");
}

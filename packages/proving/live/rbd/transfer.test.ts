import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { Secret } from "@siphon/wire";
import { ObjectCopier } from "../../../rbd/src/copy/object-copier.ts";
import { formatEncrypted, openEncrypted } from "../../../rbd/src/encryption/encryption.ts";
import { ImagePool } from "../../../rbd/src/image-pool.ts";
import { readBytes, writeBytes } from "../../../rbd/src/io/image-operations.ts";
import { ByteSource } from "../../../rbd/src/transfer/byte-source.ts";
import { DiffReader } from "../../../rbd/src/transfer/diff-reader.ts";
import { exportDiff } from "../../../rbd/src/transfer/export-diff.ts";
import { subtract, union } from "../../../rbd/src/transfer/image-diff/intervals.ts";
import { imageTarget } from "../../../rbd/src/transfer/image-target.ts";
import { importDiff } from "../../../rbd/src/transfer/import-diff.ts";
import { exportRaw, importRaw } from "../../../rbd/src/transfer/raw-image.ts";
import { exportWhole, importWhole } from "../../../rbd/src/transfer/whole-image.ts";
import { decodeDiff, MemorySink, sourceOf } from "../../../rbd/test/support/diffs.ts";

const pool = "images";
/** Since Ceph 17, data that was written to an object and truncated again is no difference. */
const leavesOutZeros =
  Number(/version (\d+)/.exec(execFileSync("rbd", ["--version"], { encoding: "utf8" }))?.[1]) >= 17;
const directory = mkdtempSync(join(tmpdir(), "siphon-transfer-"));
let ceph: LocalCluster;
let cluster: Cluster;
let images: ImagePool;

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "rbd-transfer", ...small, pool });
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  images = await ImagePool.open(cluster, pool);
  execFileSync(process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3", [
    supportFile("make-images.py"),
    ceph.conf,
    pool,
  ]);
});

after(async () => {
  cluster?.close();
  await ceph?.down();
  rmSync(directory, { recursive: true });
});

const snapshots: Record<string, string[]> = {
  plain: ["one", "two", "three"],
  striped: ["one", "two", "three"],
  mapped: ["one", "two", "three"],
  clone: ["first", "second"],
  empty: [],
};

for (const [name, names] of Object.entries(snapshots)) {
  test(`the changed extents of image ${name} are those of rbd diff`, async () => {
    for (const [from, to] of somePairs(names)) {
      for (const wholeObject of [false, true]) {
        const args = [...(from ? ["--from-snap", from] : []), ...(wholeObject ? ["--whole-object"] : [])];
        const expected = JSON.parse(rbd("diff", specOf(name, to), ...args, "--format", "json").toString());
        await using image = await opened(name, to);
        const extents = [];
        for await (const { offset, length, exists } of image.diff({ from, wholeObject }).extents()) {
          extents.push({ offset, length, exists: String(exists) });
        }
        const what = `${specOf(name, to)} ${args.join(" ")}`;
        if (leavesOutZeros) assert.deepEqual(extents, expected, what);
        // Older releases list the end of an object that became shorter as an extent of its own.
        else if (wholeObject) assert.deepEqual(covered(extents), covered(expected), what);
        else await assertAlikeButForTheSame(extents, expected, { name, from, image }, what);
      }
    }
  });

  test(`the exported diffs of image ${name} equal those of rbd export-diff, byte for byte`, async () => {
    for (const [from, to] of somePairs(names)) {
      const expected = rbd("export-diff", ...(from ? ["--from-snap", from] : []), specOf(name, to), "-");
      await using image = await opened(name, to);
      const sink = new MemorySink();
      await exportDiff(image.diff({ from }), { from, to }, sink);
      const what = `${specOf(name, to)} from ${from}`;
      if (leavesOutZeros) assert.equal(sink.bytes.equals(expected), true, what);
      else assert.deepEqual(await applied(sink.bytes, name, from), await applied(expected, name, from), what);
    }
  });
}

for (const name of ["plain", "striped", "clone"]) {
  test(`image ${name} with its snapshots is exported and imported like by rbd`, async () => {
    const theirs = rbd("export", "--export-format", "2", name, "-");
    const sink = new MemorySink();
    await exportWhole(images, name, sink);
    assert.equal(sink.bytes.equals(withLengthOfProtection(theirs, 1)), true);

    const path = join(directory, name);
    writeFileSync(path, theirs);
    await using source = new ByteSource(createReadStream(path), path);
    await importWhole(images, `${name}-ours`, source);
    rbd("import", "--export-format", "2", path, `${name}-theirs`);
    const [ours, reference] = ["ours", "theirs"].map((who) =>
      rbd("export", "--export-format", "2", `${name}-${who}`, "-"),
    );
    assert.equal(ours!.equals(reference!), true);
    assert.equal(rbd("export", `${name}-ours`, "-").equals(rbd("export", name, "-")), true);
  });
}

test("the raw image is exported and imported like by rbd", async () => {
  const expected = rbd("export", "plain@two", "-");
  await using image = await opened("plain", "two");
  const sink = new MemorySink();
  await exportRaw(image.diff(), sink, { pieceBytes: 100_000 });
  assert.equal(sink.bytes.equals(expected), true);

  await images.create("bare", 4096, { objectSize: 65536 });
  await using target = await images.open("bare");
  const stream = (async function* () {
    yield sink.bytes;
  })();
  await importRaw(stream, imageTarget(target), { pieceBytes: 65536 });
  assert.equal(rbd("export", "bare", "-").equals(expected), true);
});

test("rbd's diffs, applied one after the other, give the snapshots at their ends", async () => {
  await images.create("followed", 0, { objectSize: 65536 });
  await using target = await images.open("followed");
  let from: string | undefined;
  for (const to of snapshots.plain!) {
    const path = join(directory, `diff-${to}`);
    rbd("export-diff", ...(from ? ["--from-snap", from] : []), `plain@${to}`, path);
    await using source = new ByteSource(createReadStream(path), path);
    await importDiff(await DiffReader.open(source), imageTarget(target));
    from = to;
  }
  for (const to of snapshots.plain!) {
    assert.equal(rbd("export", `followed@${to}`, "-").equals(rbd("export", `plain@${to}`, "-")), true);
  }
});

test("a copy equals rbd's: OSDs copy objects without zeros, and this process copies the rest without its zeros", async () => {
  const objectSize = 65536;
  const dense = (length: number) => Buffer.alloc(length, "no zeros");
  await images.create("various", 6 * objectSize + 12_288, { objectSize });
  {
    await using image = await images.open("various");
    await image.write(0, dense(objectSize));
    await image.write(objectSize, dense(8192));
    await image.write(objectSize + 32_768, dense(4096));
    await image.write(2 * objectSize, Buffer.alloc(objectSize));
    await image.write(3 * objectSize + 4096, dense(4096));
    await image.write(4 * objectSize, dense(20_480));
    await image.write(6 * objectSize, dense(12_288));
    await image.snapshots.create("then");
    await image.write(0, Buffer.alloc(objectSize));
    await image.write(5 * objectSize, dense(objectSize));
  }
  const copied: boolean[] = [];
  {
    await using source = await images.open("various", { snapshot: "then" });
    await images.create("by-object", source.size, { objectSize });
    await using target = await images.open("by-object");
    const copier = (await ObjectCopier.between(images, source, images, target))!;
    for await (const { offset, length } of source.diff().extents())
      copied.push(await copier.copy(offset, length));
    const missing = { poolId: source.header.dataPoolId, name: "missing" };
    await assert.rejects(target.copyObject(5, missing), { code: "ENOENT" });
  }
  // The OSDs copy objects 0, 4 and 6, but no objects with zeros in them.
  assert.deepEqual(copied, [true, false, false, false, true, true]);

  await images.copy("various", "ours", images, { snapshot: "then" });
  rbd("cp", "various@then", "theirs");
  await images.deepCopy("various", "ours-deep");
  rbd("deep", "cp", "various", "theirs-deep");
  assert.equal(rbd("diff", "ours").toString(), rbd("diff", "theirs").toString());
  for (const name of ["", "-deep", "-deep@then"]) {
    assert.ok(rbd("export", `ours${name}`, "-").equals(rbd("export", `theirs${name}`, "-")), name);
  }
  for (const name of ["ours", "ours-deep"]) {
    rbd("object-map", "check", name);
    const flags: unknown = JSON.parse(rbd("info", name, "--format", "json").toString()).flags;
    assert.deepEqual(flags, [], name);
  }
});

for (const version of [1, 2] as const) {
  test(`LUKS${version}: librbd reads what we encrypt, and we read what librbd encrypts`, async () => {
    const name = `secret-${version}`;
    const passphraseFile = join(directory, "passphrase");
    writeFileSync(passphraseFile, "correct horse");
    const librbd = (...args: string[]) =>
      execFileSync(process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3", [
        ...[supportFile("encrypted-image.py"), ceph.conf, pool, name, `luks${version}`, passphraseFile],
        ...args,
      ]).toString();
    await images.create(name, 20 * 2 ** 20);
    await using image = await images.open(name);
    await formatEncrypted(image, new Secret(readFileSync(passphraseFile)), {
      ...{ version, alignment: image.optimalIoSize, digestIterations: 1000 },
      derivation: { type: "pbkdf2", hash: "sha256", iterations: 1000 },
    });
    const open = () => openEncrypted(image, new Secret(readFileSync(passphraseFile)));
    await writeBytes(await open(), 5000, Buffer.from("written by siphon"));
    await image.flush();
    await image.locks.release();
    assert.equal(librbd("read", "5000", "17"), "written by siphon");
    librbd("write", "70000", "written by librbd");
    assert.equal((await readBytes(await open(), 70000, 17)).toString(), "written by librbd");
    assert.equal((await readBytes(await open(), 5000, 17)).toString(), "written by siphon");

    // librbd takes seconds to make a header. Another test opens LUKS1 headers that cryptsetup made.
    if (version === 1) return;
    rbd("encryption", "format", name, "luks2", passphraseFile, "--cipher-alg", "aes-128");
    librbd("write", "4090", "over the end of a sector");
    assert.equal((await readBytes(await open(), 4090, 24)).toString(), "over the end of a sector");
  });
}

function opened(name: string, snapshot: string | undefined) {
  return images.open(name, { readOnly: true, watch: false, ...(snapshot && { snapshot }) });
}

function specOf(name: string, snapshot: string | undefined): string {
  return snapshot === undefined ? name : `${name}@${snapshot}`;
}

interface Extent {
  offset: number;
  length: number;
  exists: string;
}

/** Extents that only an older rbd lists must be unchanged: their data was written and truncated again. */
async function assertAlikeButForTheSame(
  ours: Extent[],
  theirs: Extent[],
  {
    name,
    from,
    image,
  }: { name: string; from: string | undefined; image: Awaited<ReturnType<typeof opened>> },
  what: string,
): Promise<void> {
  const of = (extents: Extent[], exists: string) =>
    union(
      extents
        .filter((extent) => extent.exists === exists)
        .map(({ offset, length }) => ({ start: offset, end: offset + length })),
    );
  assert.deepEqual(of(ours, "false"), of(theirs, "false"), what);
  assert.deepEqual(subtract(of(ours, "true"), of(theirs, "true")), [], what);
  await using before = from === undefined ? undefined : await opened(name, from);
  for (const { start, end } of subtract(of(theirs, "true"), of(ours, "true"))) {
    const was = Buffer.alloc(end - start);
    if (before) (await before.read(start, Math.min(end, before.size) - start)).copy(was);
    assert.ok((await image.read(start, end - start)).equals(was), what);
  }
}

const covered = (extents: Extent[]) =>
  union(extents.map(({ offset, length }) => ({ start: offset, end: offset + length })));

/** The content of an image after a diff has been applied. */
async function applied(diff: Buffer, name: string, from: string | undefined): Promise<Buffer> {
  const { header, records } = await decodeDiff(await DiffReader.open(sourceOf(diff, 65536)));
  const content = Buffer.alloc(header.size!);
  if (from !== undefined) {
    await using image = await opened(name, from);
    (await image.read(0, Math.min(image.size, header.size!))).copy(content);
  }
  for (const { offset, length, data } of records) {
    if (data === undefined) content.fill(0, offset, offset + length);
    else data.copy(content, offset);
  }
  return content;
}

function rbd(...args: string[]): Buffer {
  const access = ["--conf", ceph.conf, "--id", "admin"];
  const env = { ...process.env, CEPH_ARGS: `--rbd_default_pool=${pool}` };
  return execFileSync("rbd", [...access, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 2 ** 30,
  });
}

function supportFile(name: string): string {
  return new URL(`../../support/rbd/${name}`, import.meta.url).pathname;
}

/** From nothing to each state, and from each snapshot to the next one and to the head. */
function somePairs(names: readonly string[]): [from: string | undefined, to: string | undefined][] {
  const states = [...names, undefined];
  const steps = names.flatMap((from, n) => [states[n + 1], undefined].map((to) => [from, to] as const));
  return [
    ...states.map((to) => [undefined, to] as const),
    ...new Map(steps.map((s) => [s.join(), s])).values(),
  ].map(([from, to]) => [from, to]);
}

/** Ceph 16 writes length 8 for the single byte of record `p`; its documentation says 1. */
function withLengthOfProtection(stream: Buffer, length: number): Buffer {
  const changed = Buffer.from(stream);
  for (const name of Object.values(snapshots).flat()) {
    const record = Buffer.from(`${name}p\x08\0\0\0\0\0\0\0`, "latin1");
    for (let at = changed.indexOf(record); at !== -1; at = changed.indexOf(record)) {
      changed[at + name.length + 1] = length;
    }
  }
  return changed;
}

import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../../src/errors.ts";
import { emptyMbr, readMbr, writeMbr } from "../../../src/guest/partition/mbr.ts";
import {
  PARTITION_ROOM,
  type PartitionPlan,
  planPartition,
  TABLE_SECTORS,
} from "../../../src/guest/partition/plan.ts";
import { run } from "../../../src/host/command.ts";

const MIB = 1024 ** 2;
const dir = mkdtempSync(join(tmpdir(), "siphon-partition-"));
after(() => rmSync(dir, { recursive: true }));

interface Table {
  label: string;
  partitions: {
    node: string;
    start: number;
    size: number;
    type: string;
    name?: string;
    bootable?: boolean;
  }[];
}

/** A sparse disk that sfdisk, told so, has partitioned, and that has grown since. */
async function grownDisk(
  script: string,
  { before, after }: { before: number; after: number },
): Promise<string> {
  const disk = join(dir, `${crypto.randomUUID()}.raw`);
  writeFileSync(disk, "");
  truncateSync(disk, before);
  await run("/usr/sbin/sfdisk", ["--quiet", "--no-tell-kernel", disk], { input: script });
  truncateSync(disk, after);
  return disk;
}

function plan(disk: string, bytes: number): PartitionPlan {
  const fd = openSync(disk, "r+");
  const start = Buffer.alloc(TABLE_SECTORS * 512);
  readSync(fd, start, 0, start.length, 0);
  const made = planPartition(start, bytes / 512);
  for (const { sector, data } of made.writes) writeSync(fd, data, 0, data.length, sector * 512);
  closeSync(fd);
  return made;
}

async function tableOf(disk: string): Promise<Table> {
  const { stdout, stderr } = await run("/usr/sbin/sfdisk", ["--json", disk]);
  assert.equal(stderr, "");
  return (JSON.parse(stdout) as { partitiontable: Table }).partitiontable;
}

const mbrScript = "label: dos\nstart=2048, size=204800, type=83, bootable\n";
// As Debian's cloud images have it: the root first on the disk, but not in the table.
const gptScript =
  "label: gpt\nsize=64M, type=L, name=root, start=264192\nstart=2048, size=6144, type=21686148-6449-6E6F-744E-656564454649\n";

test("a GPT disk that has grown gets a partition in all of its new space, as sfdisk sees it", async () => {
  const disk = await grownDisk(gptScript, { before: 256 * MIB, after: 3072 * MIB });
  const made = plan(disk, 3072 * MIB);
  const { label, partitions } = await tableOf(disk);
  assert.equal(label, "gpt");
  assert.equal(partitions.length, 3);
  assert.deepEqual(partitions[0], { ...partitions[0], name: "root", start: 264192, size: 131072 });
  const { name, start, size } = partitions[2];
  assert.deepEqual({ name, start, size }, { name: "siphon-bench", start: made.start, size: made.sectors });
  assert.equal((start * 512) % (4 * MIB), 0);
  assert.ok(size * 512 > 2800 * MIB);
  const { stdout } = await run("/usr/sbin/sfdisk", ["--verify", disk]);
  assert.match(stdout, /No errors detected/);
});

test("a disk with PARTITION_ROOM to spare holds a partition of the size that is wanted", async () => {
  const wanted = 512 * MIB;
  for (const script of [gptScript, mbrScript]) {
    for (const more of [0, 512, 4 * MIB - 512]) {
      const disk = await grownDisk(script, { before: 256 * MIB, after: 256 * MIB });
      const ends = (await tableOf(disk)).partitions.map(({ start, size }) => (start + size) * 512);
      const bytes = Math.max(...ends) + more + wanted + PARTITION_ROOM;
      truncateSync(disk, bytes);
      assert.ok(plan(disk, bytes).sectors * 512 >= wanted);
    }
  }
});

test("an MBR disk keeps its boot code and its partitions", async () => {
  const disk = await grownDisk(mbrScript, { before: 256 * MIB, after: 1024 * MIB });
  const fd = openSync(disk, "r+");
  writeSync(fd, Buffer.alloc(440, 0x90), 0, 440, 0);
  closeSync(fd);
  const made = plan(disk, 1024 * MIB);
  const { label, partitions } = await tableOf(disk);
  assert.equal(label, "dos");
  assert.deepEqual(
    partitions.map(({ start, size, type, bootable }) => ({ start, size, type, bootable })),
    [
      { start: 2048, size: 204800, type: "83", bootable: true },
      { start: made.start, size: made.sectors, type: "da", bootable: undefined },
    ],
  );
  assert.equal(made.number, 2);
  const sector = Buffer.alloc(512);
  const again = openSync(disk, "r");
  readSync(again, sector, 0, 512, 0);
  closeSync(again);
  assert.ok(sector.subarray(0, 440).every((byte) => byte === 0x90));
});

for (const [label, script] of Object.entries({ GPT: gptScript, MBR: mbrScript })) {
  test(`a partition that was made on a ${label} disk is found again, and nothing is written`, async () => {
    const disk = await grownDisk(script, { before: 256 * MIB, after: 1024 * MIB });
    const first = plan(disk, 1024 * MIB);
    const second = plan(disk, 1024 * MIB);
    assert.deepEqual(second, { ...first, writes: [] });
  });

  test(`a ${label} disk without free space behind its last partition is refused with what to do`, async () => {
    const disk = await grownDisk(`${script}${label === "GPT" ? "size=+\nsize=+\n" : "size=+\n"}`, {
      before: 256 * MIB,
      after: 256 * MIB,
    });
    const full = (error: unknown) =>
      error instanceof LabError &&
      error.code === "SIPHON_GUEST" &&
      /siphon image resize/.test(error.hint ?? "");
    assert.throws(() => plan(disk, 256 * MIB), full);
  });
}

test("an MBR partition ends where 32 bits of sectors end", () => {
  const made = planPartition(Buffer.concat([writeMbr(emptyMbr()), Buffer.alloc(63 * 512)]), 2 ** 34);
  assert.ok(made.start + made.sectors < 2 ** 32);
  assert.ok(made.sectors > 2 ** 32 - 2 ** 15);
});

test("a disk without a partition table, and one whose GPT is damaged, are not guessed at", async () => {
  assert.throws(() => planPartition(Buffer.alloc(TABLE_SECTORS * 512), 2 ** 21), LabError);
  const disk = await grownDisk(gptScript, { before: 256 * MIB, after: 1024 * MIB });
  const fd = openSync(disk, "r+");
  writeSync(fd, Buffer.from([0x55]), 0, 1, 2 * 512 + 40);
  closeSync(fd);
  assert.throws(() => plan(disk, 1024 * MIB), LabError);
});

test("a boot sector that is written reads back the same", () => {
  const mbr = emptyMbr(Buffer.from("boot code"));
  mbr.partitions[2] = { type: 0x83, active: true, start: 2048, sectors: 2 ** 31 };
  assert.deepEqual(readMbr(writeMbr(mbr)), mbr);
});

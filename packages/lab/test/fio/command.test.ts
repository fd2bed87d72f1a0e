import assert from "node:assert/strict";
import { test } from "node:test";
import { type FioJob, fioCommand, fioCommandLine } from "../../src/fio/command.ts";

const job: FioJob = {
  filename: "/dev/vda",
  rw: "randread",
  blockSize: 16384,
  ioDepth: 128,
  size: 2 ** 30,
  seconds: 300,
  warmupSeconds: 5,
  seed: 42,
};

test("the study's load is one line of fio", () => {
  assert.equal(
    fioCommandLine(job),
    "fio --name=siphon --filename=/dev/vda --ioengine=libaio --direct=1 --rw=randread --bs=16384 " +
      "--iodepth=128 --numjobs=1 --norandommap --size=1073741824 --runtime=300 --time_based --ramp_time=5 " +
      "--randseed=42 --percentile_list=50:95:99:99.9 --output-format=json",
  );
});

test("a sequential fill runs until its size is written", () => {
  const words = fioCommand({
    filename: "/mnt/foo",
    rw: "write",
    blockSize: 4 << 20,
    ioDepth: 16,
    size: 1 << 30,
  });
  for (const absent of ["--norandommap", "--time_based", "--runtime", "--ramp_time", "--randseed"]) {
    assert.ok(!words.some((word) => word.startsWith(absent)), absent);
  }
});

test("a mixed load also reports both directions together", () => {
  assert.ok(fioCommand({ ...job, rw: "randrw" }).includes("--unified_rw_reporting=both"));
  assert.ok(!fioCommand(job).some((word) => word.startsWith("--unified_rw_reporting")));
});

test("a colon in a file name does not make it two files", () => {
  assert.ok(fioCommand({ ...job, filename: "/a:b" }).includes("--filename=/a\\:b"));
});

test("a device may be read through io_uring, and an NBD export through libnbd", () => {
  assert.match(
    fioCommandLine({ ...job, engine: "io_uring" }),
    /--filename=\/dev\/vda --ioengine=io_uring --direct=1/,
  );
  const { rw, blockSize, ioDepth } = job;
  const words = fioCommand({
    rw,
    blockSize,
    ioDepth,
    nbd: { socket: "/run/a b.sock", export: "vms/disk 1" },
  });
  assert.deepEqual(words.slice(2, 4), [
    "--ioengine=nbd",
    "--uri=nbd+unix:///vms/disk%201?socket=%2Frun%2Fa%20b.sock",
  ]);
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LabError, type LabErrorCode } from "../../src/errors.ts";
import { type FioOutput, parseFio } from "../../src/fio/result.ts";

/** Output of fio 3.33 as it was captured from a guest. */
const captured = (name: string): FioOutput => ({
  exitCode: 0,
  stdout: readFileSync(new URL(`../fixtures/fio/${name}.json`, import.meta.url), "utf8"),
  stderr: "",
});

const refused =
  (code: LabErrorCode, pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof LabError && error.code === code && pattern.test(error.message);

const randread = captured("randread");
const job = JSON.parse(randread.stdout).jobs[0];

/** The captured result with changes to its job. */
const changed = (changes: object): FioOutput => {
  const whole = JSON.parse(randread.stdout);
  Object.assign(whole.jobs[0], changes);
  return { ...randread, stdout: JSON.stringify(whole) };
};

test("a random read's figures are read, latencies in microseconds", () => {
  const figures = parseFio(randread, { seconds: 1 });
  assert.equal(figures.ios, job.read.total_ios);
  assert.equal(figures.iops, job.read.iops);
  assert.equal(figures.bytesPerSecond, job.read.bw_bytes);
  assert.equal(figures.seconds, job.read.runtime / 1000);
  assert.equal(figures.latency.mean, job.read.clat_ns.mean / 1000);
  const { "50.000000": p50, "99.900000": p999 } = job.read.clat_ns.percentile;
  assert.equal(figures.latency.p50, p50 / 1000);
  assert.equal(figures.latency.p999, p999 / 1000);
  const { p95, p99 } = figures.latency;
  assert.ok(figures.latency.p50 <= p95 && p95 <= p99 && p99 <= figures.latency.p999);
});

test("a write's figures are those of the writes", () => {
  const written = JSON.parse(captured("write").stdout).jobs[0].write;
  assert.equal(parseFio(captured("write")).ios, written.total_ios);
});

test("a mixed load's figures cover reads and writes", () => {
  const { read, write, mixed } = JSON.parse(captured("randrw").stdout).jobs[0];
  const figures = parseFio(captured("randrw"), { seconds: 1 });
  assert.equal(figures.ios, read.total_ios + write.total_ios);
  assert.equal(figures.latency.p99, mixed.clat_ns.percentile["99.000000"] / 1000);
});

test("notes that fio prints before its JSON do no harm", () => {
  const stdout = `fio: this is a note {about braces}\n${randread.stdout}`;
  assert.equal(parseFio({ ...randread, stdout }).ios, job.read.total_ios);
});

test("a full file system is told from other failures", () => {
  const stderr = "fio: io_u error on file tiny/f: No space left on device: write offset=1048576, buflen=4096";
  const said = { ...captured("enospc"), exitCode: 1, stderr };
  assert.throws(() => parseFio(said), refused("SIPHON_NO_SPACE", /No space left on device/));
});

test("an I/O error of the disk is the guest's, with fio's words", () => {
  const said = {
    ...changed({ error: 5 }),
    exitCode: 1,
    stderr: "fio: io_u error on file /dev/vda: I/O error",
  };
  assert.throws(() => parseFio(said), refused("SIPHON_GUEST", /errno 5.*\/dev\/vda/));
});

test("a fio that fails without a result is quoted", () => {
  const said = { exitCode: 1, stdout: "", stderr: "fio: failed parsing bs=banana\n" };
  assert.throws(() => parseFio(said), refused("SIPHON_PROGRAM_FAILED", /exit code 1.*bs=banana/));
  const absent = { exitCode: 127, stdout: "", stderr: "sh: fio: not found\n" };
  assert.throws(() => parseFio(absent), refused("SIPHON_PROGRAM_FAILED", /not found/));
});

test("a run that did nothing, or ran short, does not count", () => {
  const idle = { ...job.read, total_ios: 0 };
  assert.throws(() => parseFio(changed({ read: idle })), refused("SIPHON_PROGRAM_FAILED", /no I\/O/));
  const short = () => parseFio(randread, { seconds: 10 });
  assert.throws(short, refused("SIPHON_PROGRAM_FAILED", /measured 1\.\d+ s and not 10 s/));
});

test("an exit code counts though the JSON looks well", () => {
  assert.throws(() => parseFio({ ...randread, exitCode: 137 }), refused("SIPHON_PROGRAM_FAILED", /137/));
});

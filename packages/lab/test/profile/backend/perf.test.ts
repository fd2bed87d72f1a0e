import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PerfScript } from "../../../src/profile/backend/perf.ts";
import { profileProcess } from "../../../src/profile/profile-process.ts";

test("samples are read with thread, functions and files; one without frames is none", () => {
  const samples = read(`msgr-worker-0 27919 
	ffffffff82010dcc tcp_sendmsg ([kernel.kallsyms])
	          5abef2 PosixConnectedSocketImpl::send (/usr/lib/ceph/libceph-common.so.2)
	          550cfe [unknown] (/usr/lib/ceph/libceph-common.so.2 (deleted))
	ffffffffffffffff [unknown] ([unknown])

CPU 0/TCG 27920 
	    7f0000001000 operator()(int) (/usr/bin/qemu-system-x86_64)

idle 27921 

`);
  assert.deepEqual(samples, [
    {
      comm: "msgr-worker-0",
      tid: 27919,
      frames: [
        { name: "tcp_sendmsg", file: "[kernel.kallsyms]" },
        { name: "PosixConnectedSocketImpl::send", file: "/usr/lib/ceph/libceph-common.so.2" },
        { name: undefined, file: "/usr/lib/ceph/libceph-common.so.2" },
        { name: undefined, file: undefined },
      ],
    },
    {
      comm: "CPU 0/TCG",
      tid: 27920,
      frames: [{ name: "operator()(int)", file: "/usr/bin/qemu-system-x86_64" }],
    },
  ]);
});

/** A program in the place of perf, whose `record` is this shell. */
async function withPerf(record: string, work: () => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "siphon-perf-"));
  const { PATH, SIPHON_STATE_DIR } = process.env;
  Object.assign(process.env, { PATH: `${directory}:${PATH}`, SIPHON_STATE_DIR: directory });
  try {
    const script = `#!/bin/sh\n[ "$1" = record ] || exit 0\n${record}\n`;
    await writeFile(join(directory, "perf"), script, { mode: 0o755 });
    await work();
  } finally {
    Object.assign(process.env, { PATH });
    if (SIPHON_STATE_DIR === undefined) delete process.env.SIPHON_STATE_DIR;
    else process.env.SIPHON_STATE_DIR = SIPHON_STATE_DIR;
    await rm(directory, { recursive: true, force: true });
  }
}

test("perf that ends a moment before the process does has seen its end, and has not failed", async () => {
  const child = spawn("sleep", ["60"]);
  const record = `echo begun; sleep 0.5; (exec >&- 2>&-; sleep 0.4; kill -9 ${child.pid}) & exit 143`;
  await withPerf(record, async () => {
    const { cutShort } = await profileProcess(child.pid!, { seconds: 3600, backend: "perf" });
    assert.equal(cutShort, "the process ended");
  }).finally(() => child.kill("SIGKILL"));
});

test("a process that ends before perf records has no profile; perf that cannot record one that lives has failed", async () => {
  const child = spawn("sleep", ["60"]);
  const record = `(exec >&- 2>&-; sleep 0.4; kill -9 ${child.pid}) & echo 'No such process' >&2; exit 255`;
  await withPerf(record, async () => {
    await assert.rejects(profileProcess(child.pid!, { backend: "perf" }), { code: "SIPHON_NOT_FOUND" });
  }).finally(() => child.kill("SIGKILL"));
  await withPerf("echo 'no such event' >&2; exit 255", async () => {
    await assert.rejects(profileProcess(process.pid, { backend: "perf" }), {
      code: "SIPHON_PROGRAM_FAILED",
      message: /no such event/,
    });
  });
});

function read(text: string): unknown[] {
  const samples: unknown[] = [];
  const parser = new PerfScript((sample) => samples.push(sample));
  for (const line of text.split("\n")) parser.line(line);
  parser.end();
  return samples;
}

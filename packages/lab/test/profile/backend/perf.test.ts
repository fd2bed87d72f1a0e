import assert from "node:assert/strict";
import { test } from "node:test";
import { PerfScript } from "../../../src/profile/backend/perf.ts";

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

function read(text: string): unknown[] {
  const samples: unknown[] = [];
  const parser = new PerfScript((sample) => samples.push(sample));
  for (const line of text.split("\n")) parser.line(line);
  parser.end();
  return samples;
}

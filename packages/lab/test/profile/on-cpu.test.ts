import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isWait, OnCpu } from "../../src/profile/on-cpu.ts";

test("functions of the C library that wait are known by their names", () => {
  for (const name of [
    "epoll_wait",
    "__GI_epoll_pwait",
    "__futex_abstimed_wait_common",
    "__lll_lock_wait",
    "__poll",
    "__GI___select",
    "__GI___clock_nanosleep",
    "__libc_pause",
    "__libc_accept",
  ]) {
    assert.ok(isWait(name), name);
  }
  for (const name of [
    "__libc_sendmsg",
    "read",
    "ioctl",
    "futex_wake",
    "EventCenter::process_events()",
    "memcpy",
  ]) {
    assert.ok(!isWait(name), name);
  }
});

test("where memory cannot be read the state decides, but for functions that wait", () => {
  using onCpu = new OnCpu(2 ** 22 + 1); // above the highest pid
  onCpu.note("1000");
  assert.equal(onCpu.count(5, 3, "1000", "__libc_read"), 3);
  assert.equal(onCpu.count(5, 3, "1000", "epoll_wait"), 0);
});

test("a thread outside of system calls runs, whatever its state was before", () => {
  using onCpu = new OnCpu(process.pid);
  const data = /^([0-9a-f]+)-\S+ r/m.exec(maps())![1];
  // Two bytes into the ELF header of the first mapped file stands no system call.
  const address = (BigInt(`0x${data}`) + 4n).toString(16);
  onCpu.note(address);
  assert.equal(onCpu.count(5, 0, address, "epoll_wait"), 5);
});

function maps(): string {
  return readFileSync("/proc/self/maps", "utf8");
}

import { closeSync, readlinkSync } from "node:fs";
import { AttachError } from "../../errors.ts";
import { type Address, addressOf, allocate, checked, lastErrno, libc } from "./libc.ts";

const nonBlocking = 0o4000;
const setStatusFlags = 4;
const readWrite = 2;
const closeOnExec = 0o2000000;

let one: { at: Address } | undefined;
let count: { bytes: Buffer; at: Address } | undefined;

/** A new eventfd, not signalled. */
export function createEvent(): number {
  return checked(libc().eventfd(0, nonBlocking | closeOnExec), "create an eventfd");
}

/** Adopts a peer's descriptor as a non-blocking eventfd; throws SIPHON_ATTACH_PROTOCOL if it is not an eventfd. */
export function adoptEvent(fd: number): number {
  if (readlinkSync(`/proc/self/fd/${fd}`) !== "anon_inode:[eventfd]") {
    throw new AttachError("SIPHON_ATTACH_PROTOCOL", "a descriptor for events is not an eventfd");
  }
  checked(libc().fcntl(fd, setStatusFlags, readWrite | nonBlocking), "set an eventfd's flags");
  return fd;
}

/** Wakes the waiter of the eventfd. */
export function signalEvent(fd: number): void {
  one ??= keep(1n);
  libc().write(fd, one.at, 8);
}

/** Consumes pending signals; false if there were none. */
export function takeEvent(fd: number): boolean {
  count ??= keep(0n);
  const got = libc().read(fd, count.at, 8);
  return got === 8 || (got < 0 && lastErrno() === "EINTR");
}

/** Closes a descriptor that the peer may have caused to be closed already. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {}
}

function keep(value: bigint): { bytes: Buffer; at: Address } {
  const bytes = allocate(8);
  bytes.writeBigUInt64LE(value);
  return { bytes, at: addressOf(bytes) };
}

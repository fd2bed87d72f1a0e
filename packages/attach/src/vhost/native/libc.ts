import { createRequire } from "node:module";
import { throwUnowned } from "@siphon/rados/engine";
import { errnoName } from "@siphon/wire";
import { AttachError } from "../../errors.ts";

/** An address in this process. User space ends far below 2^53, so a number holds it. */
export type Address = number;

/**
 * Calls of the C library that Node lacks: descriptors over sockets, shared memory, eventfds. Pointers are integers. A
 * failed call returns -1 (`mmap`: 2^64-1) and sets `errno`.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, addr: Address, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, addr: Address, length: Address, flags: number): number;
  connect(fd: number, addr: Address, length: number): number;
  socketpair(domain: number, type: number, protocol: number, fds: Address): number;
  sendmsg(fd: number, message: Address, flags: number): number;
  recvmsg(fd: number, message: Address, flags: number): number;
  recv(fd: number, into: Address, length: number, flags: number): number;
  read(fd: number, into: Address, length: number): number;
  write(fd: number, from: Address, length: number): number;
  eventfd(initial: number, flags: number): number;
  fcntl(fd: number, command: number, value: number): number;
  ioctl(fd: number, command: number, value: number): number;
  memfd_create(name: string, flags: number): number;
  mmap(
    addr: Address,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): number | bigint;
  munmap(addr: Address, length: number): number;
  /** For system calls without a function in older C libraries. */
  syscall(number: number, a: number, b: number, c: number, d: number): number;
}

/** The part of koffi used besides the calls. */
interface Koffi {
  load(path: null): { func(name: string, result: string, parameters: string[]): unknown };
  address(bytes: Uint8Array): bigint;
  view(address: Address, length: number): ArrayBuffer;
  errno(): number;
  node: { poll(fd: number, what: { readable: boolean }, listener: () => void): PollHandle };
}

export interface PollHandle {
  close(): void;
}

const parameters: { [Name in keyof Libc]: [result: string, ...parameters: string[]] } = {
  socket: ["int", "int", "int", "int"],
  bind: ["int", "int", "uintptr_t", "uint32_t"],
  listen: ["int", "int", "int"],
  accept4: ["int", "int", "uintptr_t", "uintptr_t", "int"],
  connect: ["int", "int", "uintptr_t", "uint32_t"],
  socketpair: ["int", "int", "int", "int", "uintptr_t"],
  sendmsg: ["int64_t", "int", "uintptr_t", "int"],
  recvmsg: ["int64_t", "int", "uintptr_t", "int"],
  recv: ["int64_t", "int", "uintptr_t", "size_t", "int"],
  read: ["int64_t", "int", "uintptr_t", "size_t"],
  write: ["int64_t", "int", "uintptr_t", "size_t"],
  eventfd: ["int", "uint32_t", "int"],
  fcntl: ["int", "int", "int", "int"],
  ioctl: ["int", "int", "unsigned long", "unsigned long"],
  memfd_create: ["int", "str", "uint32_t"],
  mmap: ["uintptr_t", "uintptr_t", "size_t", "int", "int", "int", "int64_t"],
  munmap: ["int", "uintptr_t", "size_t"],
  syscall: ["int64_t", "int64_t", "uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t"],
};

let loaded: { libc: Libc; koffi: Koffi } | undefined;

/** The C library; throws SIPHON_ATTACH_NATIVE if koffi cannot be loaded or the system is not Linux. */
export function libc(): Libc {
  return load().libc;
}

/** A call that may block, in a thread of its own; its `errno` stays in that thread. */
export function libcBeside<Name extends keyof Libc>(
  name: Name,
  ...given: Parameters<Libc[Name]>
): Promise<number> {
  const call = libc()[name] as unknown as BesideCall;
  return new Promise((resolve, reject) => {
    call.async(...given, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

/** A call as koffi makes it. */
interface BesideCall {
  async(...given: [...unknown[], (error: Error | null, result: number) => void]): void;
}

/** The address of bytes. They must not be on V8's heap: see `allocate`. */
export function addressOf(bytes: Uint8Array): Address {
  return Number(load().koffi.address(bytes));
}

/** Memory of this process as an ArrayBuffer; it does not prevent unmapping. */
export function viewAt(address: Address, length: number): ArrayBuffer {
  return load().koffi.view(address, length);
}

/**
 * Calls the listener in every turn of the event loop in which the descriptor is readable. An error that it throws ends
 * the process, as in any other callback; koffi would drop it silently.
 */
export function whenReadable(fd: number, listener: () => void): PollHandle {
  const handle = load().koffi.node.poll(fd, { readable: true }, () => {
    try {
      listener();
    } catch (error) {
      throwUnowned(error);
    }
  });
  if (polls.size === 0) process.once("exit", closePolls);
  polls.add(handle);
  return {
    close: () => {
      polls.delete(handle);
      if (polls.size === 0) process.off("exit", closePolls);
      handle.close();
    },
  };
}

/** This thread's polls. */
const polls = new Set<PollHandle>();

/**
 * The event loop of a thread that ends runs on for a moment. If a descriptor became readable then, koffi would call
 * JavaScript, which can no longer run, and the whole process would abort.
 */
function closePolls(): void {
  for (const handle of polls) handle.close();
  polls.clear();
}

/** Zeroed memory at a fixed address, for values passed by address. */
export function allocate(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(Math.max(length, 128)), 0, length);
}

/** The name of the last errno, such as EAGAIN. */
export function lastErrno(): string {
  const number = load().koffi.errno();
  return errnoName(-number) ?? `errno ${number}`;
}

/** The result of a call; throws if it failed. */
export function checked(result: number, what: string): number {
  if (result >= 0) return result;
  const errno = lastErrno();
  throw new AttachError("SIPHON_ATTACH_NATIVE", `cannot ${what} (${errno})`, {
    retryable: errno === "EMFILE" || errno === "ENFILE" || errno === "ENOMEM",
    hint: errno === "EMFILE" ? "allow the process more open files (ulimit -n)" : undefined,
  });
}

function load(): { libc: Libc; koffi: Koffi } {
  if (loaded !== undefined) return loaded;
  if (process.platform !== "linux") throw missing(`the system is ${process.platform}, not Linux`);
  try {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi;
    const library = koffi.load(null);
    const calls = Object.entries(parameters).map(([name, [result, ...takes]]) => [
      name,
      library.func(name, result, takes),
    ]);
    loaded = { koffi, libc: Object.fromEntries(calls) as Libc };
    return loaded;
  } catch (cause) {
    throw missing("the npm package koffi cannot be loaded", cause);
  }
}

function missing(why: string, cause?: unknown): AttachError {
  return new AttachError("SIPHON_ATTACH_NATIVE", `cannot call the C library: ${why}`, {
    cause,
    hint: "install koffi (npm install koffi), or serve images over NBD, which does not need it",
  });
}

import { AttachError } from "../../errors.ts";
import { closeQuietly } from "./event.ts";
import { type Address, addressOf, allocate, lastErrno, libc } from "./libc.ts";

/*
 * msghdr on 64-bit Linux: name u64, namelen u32, pad u32, iov u64, iovlen u64, control u64, controllen u64, flags i32, pad.
 * cmsghdr: len u64 (header included), level i32, type i32, then the data.
 */
const messageBytes = 56;
const controlHeader = 16;
const solSocket = 1;
const scmRights = 1;
const noSignal = 0x4000;
const closeOnExec = 0x40000000;
const dontWait = 0x40;
const controlTruncated = 8;

/** Maximum number of descriptors in a message; vhost-user's longest has one for each of eight memory regions. */
export const mostFds = 8;

/** The result of one `recvmsg`: bytes in `SocketIo.received`, and descriptors, which the receiver must close. */
export interface Received {
  /** -1 if nothing is available, 0 at the end of the stream. */
  length: number;
  fds: number[];
}

/** Non-blocking reads and writes of bytes and descriptors of one unix socket. */
export class SocketIo {
  /** Where `receive` puts bytes. */
  readonly received: Buffer;
  readonly #fd: number;
  readonly #header = allocate(messageBytes);
  readonly #vector = allocate(16);
  readonly #control = allocate(controlHeader + mostFds * 4);
  readonly #headerAt: Address;
  readonly #receivedAt: Address;

  constructor(fd: number, bufferBytes: number) {
    this.#fd = fd;
    this.received = allocate(bufferBytes);
    this.#receivedAt = addressOf(this.received);
    this.#headerAt = addressOf(this.#header);
    this.#header.writeBigUInt64LE(BigInt(addressOf(this.#vector)), 16);
    this.#header.writeBigUInt64LE(1n, 24);
  }

  /** At most `length` bytes, put at `at` of `received`. */
  receive(at: number, length: number): Received {
    this.#aim(this.#receivedAt + at, length, this.#control.length);
    const got = libc().recvmsg(this.#fd, this.#headerAt, closeOnExec | dontWait);
    if (got < 0) {
      const errno = lastErrno();
      if (errno === "EAGAIN" || errno === "EINTR") return { length: -1, fds: [] };
      if (errno === "ECONNRESET") return { length: 0, fds: [] };
      throw new AttachError("SIPHON_ATTACH_NATIVE", `cannot read from a socket (${errno})`);
    }
    const fds = this.#takeFds();
    if ((this.#header.readInt32LE(48) & controlTruncated) !== 0) {
      for (const fd of fds) closeQuietly(fd);
      throw fds.length < mostFds ? outOfFiles() : tooManyFds();
    }
    return { length: got, fds };
  }

  /** Sends a short message; false if the peer is gone or does not read. */
  send(bytes: Uint8Array, fds: readonly number[] = []): boolean {
    const copy = allocate(bytes.length);
    copy.set(bytes);
    this.#aim(addressOf(copy), bytes.length, fds.length === 0 ? 0 : controlHeader + align(fds.length * 4));
    if (fds.length > 0) {
      this.#control.writeBigUInt64LE(BigInt(controlHeader + fds.length * 4), 0);
      this.#control.writeInt32LE(solSocket, 8);
      this.#control.writeInt32LE(scmRights, 12);
      for (const [index, fd] of fds.entries()) this.#control.writeInt32LE(fd, controlHeader + index * 4);
    }
    return libc().sendmsg(this.#fd, this.#headerAt, noSignal | dontWait) === bytes.length;
  }

  #aim(at: Address, length: number, controlLength: number): void {
    this.#vector.writeBigUInt64LE(BigInt(at), 0);
    this.#vector.writeBigUInt64LE(BigInt(length), 8);
    const control = controlLength === 0 ? 0 : addressOf(this.#control);
    this.#header.writeBigUInt64LE(BigInt(control), 32);
    this.#header.writeBigUInt64LE(BigInt(controlLength), 40);
    this.#header.writeInt32LE(0, 48);
  }

  #takeFds(): number[] {
    const fds: number[] = [];
    const end = Number(this.#header.readBigUInt64LE(40));
    for (let at = 0; at + controlHeader <= end; ) {
      const length = Number(this.#control.readBigUInt64LE(at));
      if (length < controlHeader) break;
      const rights =
        this.#control.readInt32LE(at + 8) === solSocket && this.#control.readInt32LE(at + 12) === scmRights;
      for (let fd = at + controlHeader; rights && fd + 4 <= at + length; fd += 4) {
        fds.push(this.#control.readInt32LE(fd));
      }
      at += align(length);
    }
    return fds;
  }
}

function tooManyFds(): AttachError {
  return new AttachError("SIPHON_ATTACH_PROTOCOL", `more than ${mostFds} descriptors in one message`);
}

/** The kernel drops descriptors that exceed the process's limit of open files. */
function outOfFiles(): AttachError {
  return new AttachError("SIPHON_ATTACH_NATIVE", "cannot receive a message's descriptors (EMFILE)", {
    ...{ retryable: true, hint: "allow the process more open files (ulimit -n)" },
  });
}

function align(length: number): number {
  return (length + 7) & ~7;
}

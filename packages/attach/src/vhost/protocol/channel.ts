import { AttachError } from "../../errors.ts";
import { closeQuietly } from "../native/event.ts";
import { type PollHandle, whenReadable } from "../native/libc.ts";
import { mostFds, SocketIo } from "../native/message.ts";

/*
 * A message: request u32, flags u32, size u32, then `size` bytes; descriptors come beside it.
 * Flags: bits 0-1 the version, which is 1; bit 2 a reply; bit 3 a reply is wanted.
 */
export const headerBytes = 12;
const version = 1;
const versionMask = 3;
const replyFlag = 4;
const needReplyFlag = 8;

/** Maximum length of a message: the longest known one has eight memory regions and 264 bytes. */
const mostPayload = 1024;

/** A received message. Its descriptors belong to the receiver. */
export interface Message {
  request: number;
  isReply: boolean;
  needReply: boolean;
  payload: Buffer;
  fds: number[];
}

export interface ChannelHandler {
  /** Handles one message; while its promise is pending, the next one waits. */
  message(message: Message): Promise<void> | undefined;
  /** The stream ended or was malformed. Called once, also after `close`. */
  closed(error?: Error): void;
}

/** The messages of one vhost-user socket, handled one at a time. */
export class Channel {
  readonly #fd: number;
  readonly #handler: ChannelHandler;
  readonly #io: SocketIo;
  #poll: PollHandle | undefined;
  #filled = 0;
  #fds: number[] = [];
  #closed = false;

  /** Owns the descriptor from now on. */
  constructor(fd: number, handler: ChannelHandler) {
    this.#fd = fd;
    this.#handler = handler;
    this.#io = new SocketIo(fd, headerBytes + mostPayload);
    this.#listen();
  }

  /** Answers a message, optionally with a descriptor. */
  reply(request: number, payload: Uint8Array, fds: readonly number[] = []): void {
    this.#send(request, version | replyFlag, payload, fds);
  }

  /** Sends a request to the other side. */
  request(request: number, payload: Uint8Array, fds: readonly number[] = [], needReply = false): void {
    this.#send(request, version | (needReply ? needReplyFlag : 0), payload, fds);
  }

  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll?.close();
    for (const fd of this.#fds) closeQuietly(fd);
    closeQuietly(this.#fd);
    this.#handler.closed(error);
  }

  #send(request: number, flags: number, payload: Uint8Array, fds: readonly number[]): void {
    if (this.#closed) return;
    const bytes = Buffer.alloc(headerBytes + payload.length);
    bytes.writeUInt32LE(request, 0);
    bytes.writeUInt32LE(flags, 4);
    bytes.writeUInt32LE(payload.length, 8);
    bytes.set(payload, headerBytes);
    if (!this.#io.send(bytes, fds)) {
      this.close(new AttachError("SIPHON_ATTACH_PROTOCOL", "the peer does not read its messages"));
    }
  }

  #listen(): void {
    if (this.#closed) return;
    this.#poll = whenReadable(this.#fd, this.#readable);
  }

  readonly #readable = (): void => {
    try {
      const message = this.#read();
      if (message === undefined) return;
      const pending = this.#handler.message(message);
      if (pending === undefined) return;
      this.#poll?.close();
      this.#poll = undefined;
      pending.then(
        () => this.#listen(),
        (error: Error) => this.close(error),
      );
    } catch (error) {
      this.close(error as Error);
    }
  };

  /** A read requests at most the bytes of one message, so that descriptors are not mixed up with those of the next. */
  #read(): Message | undefined {
    const wanted = this.#filled < headerBytes ? headerBytes : headerBytes + this.#payloadBytes();
    const { length, fds } = this.#io.receive(this.#filled, wanted - this.#filled);
    if (length < 0) return undefined;
    this.#fds.push(...fds);
    if (this.#fds.length > mostFds) {
      throw new AttachError("SIPHON_ATTACH_PROTOCOL", `more than ${mostFds} descriptors in one message`);
    }
    if (length === 0) {
      this.close();
      return undefined;
    }
    this.#filled += length;
    if (this.#filled < headerBytes || this.#filled < headerBytes + this.#payloadBytes()) return undefined;
    return this.#take();
  }

  #payloadBytes(): number {
    const header = this.#io.received;
    const size = header.readUInt32LE(8);
    if ((header.readUInt32LE(4) & versionMask) !== version || size > mostPayload) {
      throw new AttachError(
        "SIPHON_ATTACH_PROTOCOL",
        `not a vhost-user message: flags ${header.readUInt32LE(4)}, ${size} bytes`,
        { hint: "check that the peer is a vhost-user front-end" },
      );
    }
    return size;
  }

  #take(): Message {
    const bytes = this.#io.received;
    const flags = bytes.readUInt32LE(4);
    const message = {
      request: bytes.readUInt32LE(0),
      isReply: (flags & replyFlag) !== 0,
      needReply: (flags & needReplyFlag) !== 0,
      payload: Buffer.from(bytes.subarray(headerBytes, this.#filled)),
      fds: this.#fds,
    };
    this.#fds = [];
    this.#filled = 0;
    return message;
  }
}

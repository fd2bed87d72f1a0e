import { AttachError } from "../errors.ts";
import type { IoMetrics } from "../server/io-metrics.ts";
import type { BackendOptions } from "./backend.ts";
import type { Message } from "./protocol/channel.ts";
import type { RequestName } from "./protocol/codes.ts";

export interface SessionOptions extends BackendOptions {
  /** Block size of the guest's disk, in bytes: 512 or 4096. */
  blockSize: number;
  /** Milliseconds that a front-end waits at most for requests in flight when it stops its rings. */
  patience: number;
  /** Other threads that serve the rings; this one by default. */
  elsewhere?: RingServer | undefined;
}

/** A message's answer: a payload, with a descriptor beside it. */
export type Answer = Buffer | { payload: Buffer; fd: number } | undefined;

/** Carries out the messages of one front-end, one after another, until that leaves. */
export interface SessionSetup {
  /** Whether the front-end may ask for a reply to each message. */
  readonly acknowledges: boolean;
  /**
   * Carries out a message, and takes those descriptors from it that are kept, before this returns.
   *
   * @param patience milliseconds to wait for requests in flight, for messages that stop rings
   * @returns the answer, or a promise of it for a message that waits
   * @throws why the message is refused; `UnevenError` when the session cannot go on
   */
  handle(name: RequestName | undefined, message: Message, patience: () => number): Answer | Promise<Answer>;
  /** Finishes what is under way and gives it back to the driver. */
  finish(): Promise<void>;
  /** Lets go of the guest: nothing of its memory is read or written any more. Fulfilled when nothing is under way. */
  leave(): Promise<void>;
  /** Calls back when the disk has another size and all requests go by it. */
  onResize(listener: () => void): Disposable;
}

/** Threads that serve the rings of a front-end whose messages another thread takes. */
export interface RingServer {
  /** Counts the front-ends. */
  readonly metrics: IoMetrics;
  /** A front-end has connected, and the one before it is gone. */
  begin(options: SessionOptions): SessionSetup;
}

/** Some of the threads carried a message out and others refused it: the front-end must begin anew. */
export class UnevenError extends AttachError {}

import { Backend } from "./backend.ts";
import { closeQuietly } from "./native/event.ts";
import { adoptSocket } from "./native/socket.ts";
import { Channel, type Message } from "./protocol/channel.ts";
import { backendRequestCode, requestName } from "./protocol/codes.ts";
import * as payloads from "./protocol/payloads.ts";
import { type Answer, type SessionOptions, type SessionSetup, UnevenError } from "./session-setup.ts";
import { Setup, takeFd } from "./setup.ts";

/** One front-end's connection, from its first message until it leaves. Invalid input ends only this session. */
export class Session {
  /** Resolves when the front-end is gone and none of its requests is in flight. */
  readonly over: Promise<void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #options: SessionOptions;
  readonly #channel: Channel;
  readonly #setup: SessionSetup;
  readonly #resizes: Disposable;
  #requests: Channel | undefined;
  #closing = false;
  #stopsUntil = 0;

  /** Owns the connected socket from now on. */
  constructor(fd: number, options: SessionOptions) {
    this.over = this.#over.promise;
    this.#options = options;
    this.#setup = options.elsewhere?.begin(options) ?? new Setup(new Backend(options), options.blockSize);
    this.#resizes = this.#setup.onResize(() => this.#tellOfChange());
    this.#channel = new Channel(fd, {
      message: (message) => this.#receive(message),
      closed: (error) => void this.#leave(error),
    });
  }

  /** Finishes the requests in flight, returns them to the driver, and disconnects; the front-end may connect again. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      try {
        await this.#setup.finish();
      } finally {
        this.#channel.close();
      }
    }
    await this.over;
  }

  async #leave(error: Error | undefined): Promise<void> {
    this.#closing = true;
    this.#resizes[Symbol.dispose]();
    this.#requests?.close();
    const left = this.#setup.leave();
    this.#options.report({ type: "disconnected", error });
    await left;
    this.#over.resolve();
  }

  #receive(message: Message): Promise<void> | undefined {
    const name = requestName(message.request);
    try {
      const answer =
        name === "setBackendReqFd"
          ? this.#setRequests(message.fds)
          : this.#setup.handle(name, message, this.#patience);
      if (answer instanceof Promise) return this.#answerLater(message, answer);
      this.#answer(message, answer);
    } catch (error) {
      this.#refuse(message, error as Error);
    } finally {
      for (const fd of message.fds) closeQuietly(fd);
    }
    return undefined;
  }

  async #answerLater(message: Message, answer: Promise<Answer>): Promise<void> {
    try {
      this.#answer(message, await answer);
    } catch (error) {
      this.#refuse(message, error as Error);
    }
  }

  /** A front-end stops its rings one after another while the VM is stopped: one time limit applies to all of them. */
  readonly #patience = (): number => {
    const now = performance.now();
    if (now > this.#stopsUntil + 1000) this.#stopsUntil = now + this.#options.patience;
    return Math.max(0, this.#stopsUntil - now);
  };

  #answer(message: Message, answer: Answer): void {
    if (answer === undefined) {
      if (this.#wantsReply(message)) this.#channel.reply(message.request, payloads.u64(0));
    } else if (Buffer.isBuffer(answer)) this.#channel.reply(message.request, answer);
    else {
      this.#channel.reply(message.request, answer.payload, [answer.fd]);
      closeQuietly(answer.fd);
    }
  }

  /** A front-end that requested a reply gets an error; another one would never learn of it, so its session ends. */
  #refuse(message: Message, error: Error): void {
    if (this.#wantsReply(message) && !(error instanceof UnevenError)) {
      this.#options.report({ type: "refused", error });
      this.#channel.reply(message.request, payloads.u64(1));
    } else this.#channel.close(error);
  }

  #wantsReply(message: Message): boolean {
    return message.needReply && this.#setup.acknowledges;
  }

  /** The socket for requests of this side; their replies are not awaited. */
  #setRequests(fds: number[]): undefined {
    if (fds.length === 1) adoptSocket(fds[0]!);
    const fd = takeFd(fds);
    this.#requests?.close();
    this.#requests = new Channel(fd, {
      message: (reply) => {
        for (const fd of reply.fds) closeQuietly(fd);
        return undefined;
      },
      closed: () => {},
    });
  }

  #tellOfChange(): void {
    this.#requests?.request(backendRequestCode.configChange, Buffer.alloc(0));
  }
}

import type { RadosError } from "../errors.ts";
import { type CommandReply, readMonCommandAck } from "../messages/mon-command.ts";
import { readMonGetVersionReply } from "../messages/mon-get-version.ts";
import { readPoolOpReply } from "../messages/pool-op.ts";
import { messageType } from "../messages/types.ts";
import type { IncomingMessage, OutgoingMessage } from "../messenger/message.ts";
import { type WaitOptions, within } from "../wait.ts";

export interface CommandResult extends CommandReply {
  output: Buffer;
}

interface Pending {
  message: OutgoingMessage;
  answer: PromiseWithResolvers<CommandResult>;
}

/** Pending requests by transaction id. They outlive a session: the next one resends them. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #lastTid = 0;

  nextTid(): number {
    return ++this.#lastTid;
  }

  get messages(): OutgoingMessage[] {
    return [...this.#pending.values()].map(({ message }) => message);
  }

  /**
   * Waits for the answer to a message with a new tid.
   *
   * @param send sends it now, if there is a session
   * @param what for error messages: "`status`"
   */
  async wait(
    message: OutgoingMessage,
    send: (message: OutgoingMessage) => void,
    what: string,
    options: WaitOptions = {},
  ): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    const tid = message.tid!;
    const answer = Promise.withResolvers<CommandResult>();
    this.#pending.set(tid, { message, answer });
    try {
      send(message);
      return await within(answer.promise, `no answer from the monitors to ${what}`, options, notAnswered);
    } finally {
      this.#pending.delete(tid);
    }
  }

  /** Takes a message if it is an answer; false for others. */
  take(message: IncomingMessage): void {
    switch (message.type) {
      case messageType.monCommandAck: {
        const reply = readMonCommandAck(message.readFront("MMonCommandAck"));
        this.#answer(message.tid, { ...reply, output: message.copyData() });
        return;
      }
      case messageType.poolOpReply: {
        const reply = readPoolOpReply(message.readFront("MPoolOpReply"));
        this.#answer(message.tid, { ...reply, status: "" });
        return;
      }
      case messageType.monGetVersionReply: {
        const { handle, newest } = readMonGetVersionReply(message.readFront("MMonGetVersionReply"));
        const output = Buffer.alloc(8);
        output.writeBigUInt64LE(BigInt(newest));
        this.#answer(handle, { result: 0, status: "", output });
      }
    }
  }

  failAll(error: RadosError): void {
    for (const { answer } of [...this.#pending.values()]) answer.reject(error);
  }

  #answer(tid: number, result: CommandResult): void {
    this.#pending.get(tid)?.answer.resolve(result);
  }
}

const notAnswered = "it may still be carried out; check that a majority of the monitors is up";

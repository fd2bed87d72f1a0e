import { RadosError } from "../errors.ts";
import type { CommandReply } from "../messages/mon-command.ts";
import type { OutgoingMessage } from "../messenger/message.ts";

export interface CommandResult extends CommandReply {
  output: Buffer;
}

export interface WaitOptions {
  /** Milliseconds; default 60,000. */
  timeout?: number;
  signal?: AbortSignal | undefined;
}

interface Pending {
  message: OutgoingMessage;
  settle(outcome: CommandResult | RadosError): void;
}

/** Requests that wait for an answer, by transaction id. They outlive a session: the next one sends them again. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #lastTid = 0;

  nextTid(): number {
    return ++this.#lastTid;
  }

  get messages(): OutgoingMessage[] {
    return [...this.#pending.values()].map(({ message }) => message);
  }

  /** Waits for the answer to a message with a tid of its own. */
  wait(message: OutgoingMessage, what: string, options: WaitOptions = {}): Promise<CommandResult> {
    const { timeout = 60_000, signal } = options;
    const tid = message.tid!;
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
    const settle = (outcome: CommandResult | RadosError) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(tid);
      if (outcome instanceof RadosError) reject(outcome);
      else resolve(outcome);
    };
    const abort = () => {
      settle(new RadosError("ECANCELED", `${what}: cancelled`, { cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      const seconds = timeout / 1000;
      settle(
        new RadosError("SIPHON_RADOS_TIMEOUT", `${what}: no answer within ${seconds} s`, {
          retryable: true,
          hint: "it may still be carried out; see whether a majority of the monitors is up",
        }),
      );
    }, timeout);
    this.#pending.set(tid, { message, settle });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    return promise;
  }

  answer(tid: number, result: CommandResult): void {
    this.#pending.get(tid)?.settle(result);
  }

  failAll(error: RadosError): void {
    for (const { settle } of [...this.#pending.values()]) settle(error);
  }
}

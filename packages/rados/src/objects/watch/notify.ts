import { errno } from "@siphon/wire";
import type { RadosError } from "../../errors.ts";
import { type NotifyAnswers, readNotifyAnswers } from "../../messages/notify-answers.ts";
import type { WatchNotify } from "../../messages/watch-notify.ts";
import { requestFlag } from "../../objecter/op-code.ts";
import type { ObjectTarget } from "../../objecter/target.ts";
import { OperationError } from "../operation-error.ts";
import { OperationRequest } from "../operation-request.ts";
import type { Linger, Lingers } from "./lingers.ts";
import { notify } from "./operations.ts";

export interface NotifyOptions {
  /** Milliseconds for watchers to answer, rounded to seconds; default 10,000. */
  timeout?: number;
  signal?: AbortSignal;
}

/**
 * Notifies all watchers of an object, and waits until each has answered or the time is up.
 *
 * @param objectText for errors: "object o of pool p"
 */
export async function notifyWatchers(
  lingers: Lingers,
  target: ObjectTarget,
  objectText: string,
  payload: Uint8Array,
  { timeout = 10_000, signal }: NotifyOptions = {},
): Promise<NotifyAnswers> {
  signal?.throwIfAborted();
  const pending = new PendingNotify(
    lingers,
    target,
    objectText,
    payload,
    Math.max(1, Math.ceil(timeout / 1000)),
  );
  const abort = () => pending.end(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    lingers.add(pending.cookie, pending);
    return await pending.answers;
  } finally {
    signal?.removeEventListener("abort", abort);
    lingers.remove(pending.cookie);
    pending.stop();
  }
}

class PendingNotify implements Linger {
  readonly target: ObjectTarget;
  readonly cookie: bigint;
  readonly #lingers: Lingers;
  readonly #objectText: string;
  readonly #payload: Uint8Array;
  readonly #timeoutSeconds: number;
  readonly #answers = Promise.withResolvers<NotifyAnswers>();
  #sending: AbortController | undefined;
  /** Undefined until the OSD has sent it. */
  #notifyId: bigint | undefined;

  constructor(
    lingers: Lingers,
    target: ObjectTarget,
    text: string,
    payload: Uint8Array,
    timeoutSeconds: number,
  ) {
    this.#lingers = lingers;
    this.target = target;
    this.#objectText = text;
    this.#payload = payload;
    this.#timeoutSeconds = timeoutSeconds;
    this.cookie = lingers.nextCookie();
  }

  get answers(): Promise<NotifyAnswers> {
    return this.#answers.promise;
  }

  get #task(): string {
    return `cannot notify the watchers of ${this.#objectText}`;
  }

  register(): void {
    this.stop();
    const attempt = new AbortController();
    this.#sending = attempt;
    this.#notifyId = undefined;
    const op = notify(this.cookie, this.#timeoutSeconds, this.#payload);
    const request = new OperationRequest(this.target, [op], requestFlag.read);
    request
      .perform(this.#lingers.objecter, () => this.#task, attempt.signal)
      .then(() => {
        if (this.#sending === attempt) this.#notifyId = op.decode(request.outputs[0]!, request.result);
      })
      .catch((error) => {
        if (this.#sending === attempt) this.end(error);
      });
  }

  take({ event, notifyId, result, replies }: WatchNotify): void {
    if (event !== "completed") return;
    // The answer belongs to an earlier attempt.
    if (this.#notifyId !== undefined && this.#notifyId !== notifyId) return;
    if (result < 0 && result !== timedOut) {
      this.#answers.reject(OperationError.of(this.#task, result, [], []));
    } else this.#answers.resolve(readNotifyAnswers(replies));
  }

  end(error: RadosError): void {
    this.#answers.reject(error);
  }

  stop(): void {
    const sending = this.#sending;
    this.#sending = undefined;
    sending?.abort();
  }
}

/** Some did not answer; the answers name them. */
const timedOut = -errno.ETIMEDOUT;

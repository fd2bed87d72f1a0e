import { type Cluster, RadosError } from "@siphon/rados";
import type { ObjectRequest } from "@siphon/rados/engine";

/** How a request fails: it is executed and its reply is lost, or it is never delivered. */
export type Loss = "answer" | "request";

/**
 * Loses one reply of an OSD, the nth that a client would get: the request then ends as after rados_osd_op_timeout.
 */
export class LostAnswers {
  /** Requests since `count` was called. */
  counted = 0;
  /** Describes the lost reply: the object and its operations. */
  lost: string | undefined;
  #nth = 0;
  #loss: Loss = "answer";

  constructor({ objecter }: Cluster) {
    const submit = objecter.submit.bind(objecter);
    objecter.submit = (request) => {
      this.counted++;
      if (this.counted !== this.#nth) {
        submit(request);
        return;
      }
      this.#nth = 0;
      this.lost = `${this.#loss} about ${request.target.name}`;
      if (this.#loss === "answer") losing(request, submit);
      else setImmediate(() => timeOut(request));
    };
  }

  /** Counts requests from now on, and loses none. */
  count(): void {
    this.counted = 0;
    this.#nth = 0;
  }

  lose(nth: number, loss: Loss): void {
    this.counted = 0;
    this.lost = undefined;
    this.#nth = nth;
    this.#loss = loss;
  }
}

/** Requests are reused, so the replaced `completed` removes itself with the first reply. */
function losing(request: ObjectRequest, submit: (request: ObjectRequest) => void): void {
  request.completed = () => {
    Reflect.deleteProperty(request, "completed");
    timeOut(request);
  };
  submit(request);
}

function timeOut(request: ObjectRequest): void {
  request.result = -110;
  request.error = new RadosError("SIPHON_RADOS_TIMEOUT", "no answer: lost on purpose", { retryable: true });
  request.completed();
}

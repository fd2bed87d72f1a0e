import type { OpenTransport } from "@siphon/rados/engine";
import { openTcp } from "../../../rados/src/messenger/transport.ts";

/** TCP that carries no data while it is stalled: its peers see a client that does not answer. */
export class Stalled {
  #waiting: (() => void)[] | undefined;

  readonly open: OpenTransport = (target, events) => {
    const later = (action: () => void) => {
      if (this.#waiting === undefined) action();
      else this.#waiting.push(action);
    };
    const transport = openTcp(target, {
      connected: () => later(() => events.connected()),
      received: (length) => events.received(length),
      closed: (error) => later(() => events.closed(error)),
    });
    return {
      write: (chunks, written) => {
        const kept = this.#waiting === undefined ? chunks : [Buffer.concat(chunks)];
        later(() => transport.write(kept, written));
      },
      destroy: () => transport.destroy(),
    };
  };

  begin(): void {
    this.#waiting ??= [];
  }

  end(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const action of waiting) action();
  }
}

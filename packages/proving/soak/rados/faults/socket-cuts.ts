import { type OpenTransport, openTcp } from "../../../../rados/src/messenger/transport.ts";
import type { Random } from "../../../../rados/test/support/random.ts";

/** TCP connections that, while enabled, break in the middle of the traffic, in either direction. */
export class SocketCuts {
  active = false;
  cuts = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  readonly open: OpenTransport = (target, events) => {
    let left = this.#random.between(1, mostBytes);
    let cut = false;
    const isDue = (length: number) => {
      if (!this.active || cut) return false;
      left -= length;
      return left <= 0;
    };
    const end = () => {
      cut = true;
      this.cuts++;
      transport.destroy();
      setImmediate(() => events.closed(new Error("cut on purpose")));
    };
    const transport = openTcp(target, {
      connected: () => events.connected(),
      received: (length) => {
        if (!isDue(length)) {
          events.received(length);
          return;
        }
        const part = Math.max(0, length + left);
        if (part > 0) events.received(part);
        end();
      },
      closed: (error) => {
        if (!cut) events.closed(error);
      },
    });
    return {
      write: (chunks, written) => {
        const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
        if (!isDue(length)) {
          transport.write(chunks, written);
          return;
        }
        const part = Buffer.concat(chunks).subarray(0, Math.max(1, length + left));
        transport.write([part], written);
        end();
      },
      destroy: () => transport.destroy(),
    };
  };
}

/** The most bytes that a connection carries before it is cut. */
const mostBytes = 512 * 1024;

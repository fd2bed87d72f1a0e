import {
  type OpenTransport,
  openTcp,
  type TransportEvents,
  type TransportTarget,
} from "../../src/messenger/transport.ts";

/** TCP, with a copy of all that comes in. */
export function recording(record: (bytes: Buffer) => void): OpenTransport {
  return (target, events) =>
    openTcp(target, {
      ...bound(events),
      received(length) {
        record(Buffer.from(target.receiveInto.subarray(0, length)));
        events.received(length);
      },
    });
}

/** TCP that breaks, without a word from the peer, once this many bytes have come in. */
export function cutAfter(bytes: () => number): OpenTransport {
  return (target, events) => {
    let left = bytes();
    const transport = openTcp(target, {
      ...bound(events),
      received(length) {
        if (left <= 0) return;
        events.received(Math.min(length, left));
        left -= length;
        if (left > 0) return;
        transport.destroy();
        setImmediate(() => events.closed(new Error("cut by the test")));
      },
    });
    return transport;
  };
}

/** TCP with one byte of what comes in changed. */
export function corruptAt(position: number): OpenTransport {
  return (target, events) => {
    let seen = 0;
    return openTcp(target, {
      ...bound(events),
      received(length) {
        const at = position - seen;
        if (at >= 0 && at < length) target.receiveInto[at]! ^= 0x40;
        seen += length;
        events.received(length);
      },
    });
  };
}

/** No network at all: the test says what arrives, and when. */
export class ScriptedTransport {
  #target: TransportTarget | undefined;
  #events: TransportEvents | undefined;
  /** Bytes that the client wrote. */
  written = 0;
  destroyed = false;

  readonly open: OpenTransport = (target, events) => {
    this.#target = target;
    this.#events = events;
    this.destroyed = false;
    return {
      write: (chunks, written) => {
        for (const chunk of chunks) this.written += chunk.length;
        written();
      },
      destroy: () => {
        this.destroyed = true;
      },
    };
  };

  connected(): void {
    this.#events!.connected();
  }

  /** Delivers bytes in portions of these lengths; the last one repeats. */
  deliver(bytes: Uint8Array, portions: readonly number[] = [bytes.length]): void {
    const into = this.#target!.receiveInto;
    for (let at = 0, i = 0; at < bytes.length && !this.destroyed; i++) {
      const wanted = portions[Math.min(i, portions.length - 1)]!;
      const length = Math.min(wanted, into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + length));
      this.#events!.received(length);
      at += length;
    }
  }

  close(error?: Error): void {
    if (!this.destroyed) this.#events!.closed(error);
  }
}

function bound(events: TransportEvents): TransportEvents {
  return {
    connected: () => events.connected(),
    received: (length) => events.received(length),
    closed: (error) => events.closed(error),
  };
}

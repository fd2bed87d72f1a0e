import { connect } from "node:net";

/** Events of a transport for its connection. All calls come from the event loop, none from inside a method. */
export interface TransportEvents {
  /** The stream is open; writing may begin. */
  connected(): void;
  /** `length` bytes are at the start of the memory given at connect; they are valid during the call. */
  received(length: number): void;
  /** The stream ended, by the peer (no error) or by an error; no call follows. */
  closed(error?: Error): void;
}

/**
 * A byte stream to a peer: the interface between the messenger and the network. TCP implements it; tests insert a
 * stream that cuts, delays or alters bytes.
 */
export interface Transport {
  /** Sends bytes; they must not change until `written` is called (even if the stream breaks). */
  write(chunks: readonly Uint8Array[], written: () => void): void;
  /** Ends the stream at once; `closed` is not called for it. */
  destroy(): void;
}

export interface TransportTarget {
  host: string;
  port: number;
  /** The memory for reads, which several transports of one thread may share. */
  receiveInto: Uint8Array;
}

export type OpenTransport = (target: TransportTarget, events: TransportEvents) => Transport;

/** TCP. Reads land in the given memory without a Buffer each; chunks of one call leave in one system call. */
export const openTcp: OpenTransport = (target, events) => {
  let failure: Error | undefined;
  let destroyed = false;
  const socket = connect({
    host: target.host,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    onread: {
      buffer: target.receiveInto,
      callback: (length) => {
        if (!destroyed) events.received(length);
        return true;
      },
    },
  });
  socket.on("connect", () => events.connected());
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("end", () => socket.destroy());
  socket.on("close", () => {
    if (!destroyed) events.closed(failure);
  });
  return {
    write(chunks, written) {
      const last = chunks.length - 1;
      if (last > 0) socket.cork();
      for (let i = 0; i < last; i++) socket.write(chunks[i]!);
      socket.write(chunks[last]!, written);
      if (last > 0) socket.uncork();
    },
    destroy() {
      destroyed = true;
      socket.destroy();
    },
  };
};

import { Socket } from "node:net";
import { duplicate } from "../vhost/native/socket.ts";
import type { ReceiveMemory } from "./receive-memory.ts";

export interface ClientSocketEvents {
  /** `length` bytes were put into the read area, and are gone after this call. Returns whether to go on reading. */
  received(length: number): boolean;
  /** The stream ended or broke; no call follows. */
  closed(error: Error | undefined): void;
}

/**
 * Takes over a socket that a server accepted, so that reads land in the shared memory without a Buffer each.
 *
 * `onread` is an option of a socket's constructor, and a net.Server makes its sockets without it: so the accepted socket's handle goes
 * into a new one. The accepted socket stays only for the server's count of connections.
 */
export function adoptSocket(accepted: Socket, memory: ReceiveMemory, events: ClientSocketEvents): Socket {
  const owner = accepted as unknown as AcceptedSocket;
  const handle = owner._handle;
  owner._handle = null;
  const socket = new Socket({
    handle,
    onread: { buffer: memory.readArea, callback: (length: number) => events.received(length) },
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  watch(socket, (error) => {
    accepted.destroy();
    events.closed(error);
  });
  return socket;
}

/** A socket's descriptor, for another thread. The connection stays open; the accepted socket no longer owns it. */
export function detachSocket(accepted: Socket): number {
  const { _handle: handle } = accepted as unknown as AcceptedSocket;
  const fd = duplicate(handle!.fd);
  accepted.destroy();
  return fd;
}

/** A socket that another thread accepted, read as one that this thread did. */
export function takeOver(fd: number, memory: ReceiveMemory, events: ClientSocketEvents): Socket {
  const onread = { buffer: memory.readArea, callback: (length: number) => events.received(length) };
  const socket = new Socket({ fd, onread } as ConstructorParameters<typeof Socket>[0]);
  watch(socket, (error) => events.closed(error));
  return socket;
}

/** The part of Node's sockets that has no public API. */
interface AcceptedSocket {
  _handle: { readonly fd: number } | null;
}

/**
 * The same for a stream that cannot read into given memory, because it is or will be encrypted. Its bytes are copied.
 */
export function readInto(socket: Socket, memory: ReceiveMemory, events: ClientSocketEvents): void {
  socket.on("data", (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += memory.readArea.length) {
      const length = bytes.copy(memory.readArea, 0, at, at + memory.readArea.length);
      if (!events.received(length)) socket.pause();
    }
  });
  watch(socket, (error) => events.closed(error));
}

function watch(socket: Socket, closed: (error: Error | undefined) => void): void {
  let failure: Error | undefined;
  socket.on("error", (error) => {
    failure = error;
  });
  socket.on("end", () => socket.destroy());
  socket.on("close", () => closed(failure));
}

import type { RadosError } from "../../src/errors.ts";
import type { ConnectionAuth, ConnectionMode } from "../../src/messenger/auth.ts";
import type { Connection, ConnectionHandler } from "../../src/messenger/connection.ts";
import type { IncomingMessage } from "../../src/messenger/message.ts";
import { Messenger, type MessengerOptions } from "../../src/messenger/messenger.ts";
import type { Peer } from "../../src/messenger/peer.ts";

/** A messenger that allows these modes with every kind of daemon. */
export function messengerFor(
  modes: readonly ConnectionMode[],
  options: Partial<MessengerOptions> = {},
): Messenger {
  return new Messenger({ modes: { mon: modes, osd: modes, mgr: modes }, ...options });
}

/** Connects and waits until the connection is ready, or throws the reason why not. */
export async function connectTo(
  messenger: Messenger,
  peer: Peer,
  auth: ConnectionAuth,
  onMessage: (connection: Connection, message: IncomingMessage) => void = () => {},
  onClosed: (error: RadosError) => void = () => {},
  largeMessage?: ConnectionHandler["largeMessage"],
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  messenger.connect(peer, auth, {
    ready: resolve,
    message: onMessage,
    ...(largeMessage && { largeMessage }),
    closed: (_, error) => {
      reject(error);
      onClosed(error);
    },
  });
  return promise;
}

import type { Authenticator } from "../auth/authenticator.ts";
import { commandMessage, readCommandReply } from "../messages/command.ts";
import { pingMessage, readPingReply } from "../messages/ping.ts";
import { messageType } from "../messages/types.ts";
import type { IncomingMessage } from "../messenger/message.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { Peer } from "../messenger/peer.ts";
import type { CommandResult } from "../mon/requests.ts";
import { MonSession } from "../mon/session.ts";
import { type WaitOptions, within } from "../wait.ts";

export interface DaemonCommand {
  /** JSON text. */
  command: string;
  input: Uint8Array | undefined;
  fsid: string;
  /** Whether it is for the manager's modules instead of the daemon itself. */
  forModules: boolean;
}

const tid = 1;

/** Sends a command to an OSD or manager over a separate connection and waits for the answer. */
export async function daemonCommand(
  messenger: Messenger,
  authenticator: Authenticator,
  peer: Peer & { type: "osd" | "mgr" },
  request: DaemonCommand,
  options: WaitOptions,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  using _connection = messenger.connect(peer, authenticator.forDaemon(peer.type), {
    ready: (connection) => connection.send(encode(request)),
    message: (_, message) => ifAnswer(message, resolve),
    closed: (_, error) => reject(error),
  });
  return await within(promise, `no answer from ${peer.name} to a command`, options);
}

/** The same for one monitor, over a separate session. */
export async function monDaemonCommand(
  messenger: Messenger,
  authenticator: Authenticator,
  mon: Peer,
  request: DaemonCommand,
  options: WaitOptions,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  using _session = new MonSession(messenger, authenticator, mon, {
    ready: (session) => session.send(encode(request)),
    message: (_, message) => ifAnswer(message, resolve),
    closed: (_, error) => reject(error),
  });
  return await within(promise, `no answer from ${mon.name} to a command`, options);
}

/** Pings one monitor, which answers even outside of a quorum. */
export async function pingMonitor(
  messenger: Messenger,
  authenticator: Authenticator,
  mon: Peer,
  options: WaitOptions,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  using _session = new MonSession(messenger, authenticator, mon, {
    ready: (session) => session.send(pingMessage()),
    message: (_, message) => {
      if (message.type === messageType.ping) resolve(readPingReply(message.readFront("MPing")));
    },
    closed: (_, error) => reject(error),
  });
  return await within(promise, `no answer from ${mon.name} to a ping`, options);
}

function encode({ command, input, fsid, forModules }: DaemonCommand) {
  const type = forModules ? messageType.mgrCommand : messageType.command;
  return commandMessage(type, tid, fsid, command, input);
}

function ifAnswer(message: IncomingMessage, resolve: (result: CommandResult) => void): void {
  const isReply = message.type === messageType.commandReply || message.type === messageType.mgrCommandReply;
  if (!isReply || message.tid !== tid) return;
  resolve({ ...readCommandReply(message.readFront("command reply")), output: message.copyData() });
}

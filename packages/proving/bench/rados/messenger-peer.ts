import { createServer } from "node:net";
import { AesKey } from "../../../rados/src/auth/aes-key.ts";
import type { ConnectionMode } from "../../../rados/src/messenger/auth.ts";
import { FakeDaemon, type FakePeer } from "../../../rados/test/support/fake-daemon.ts";

/**
 * The other end of the messenger's benchmark, in a separate process: it makes frames beforehand and sends them as fast
 * as they are accepted, or receives frames and counts bytes.
 *
 * Messages to it: type 1 prepare `tid` frames; type 2 send them; type 3 from now on only count bytes, and tell the
 * parent process each time that `tid` have come.
 */
export const benchSecrets = {
  sessionKey: new AesKey(Buffer.alloc(16, 1)),
  connectionSecret: Buffer.alloc(64, 2),
};
export const frontBytes = 150;
export const dataBytes = 16 * 1024;

if (process.send !== undefined) await serve();

async function serve(): Promise<void> {
  let lastBlast: Buffer = Buffer.alloc(0);
  const listen = (mode: ConnectionMode) => {
    const prepared = new Map<FakePeer, Buffer>();
    const secrets = mode === "secure" ? benchSecrets : { sessionKey: undefined, connectionSecret: undefined };
    return FakeDaemon.listen({
      type: "osd",
      mode,
      secrets,
      message(peer, { type, tid }) {
        if (type === 1) {
          const front = Buffer.alloc(frontBytes, 3);
          const data = Buffer.alloc(dataBytes, 4);
          // Encoded first: sequence numbers must increase in the order of sending.
          const answer = peer.encode(1, tid, Buffer.alloc(1), Buffer.alloc(0));
          prepared.set(
            peer,
            Buffer.concat(Array.from({ length: tid }, () => peer.encode(43, tid, front, data))),
          );
          peer.socket.write(answer);
        } else if (type === 2) {
          lastBlast = prepared.get(peer)!;
          peer.socket.write(lastBlast);
        } else if (type === 3) {
          let left = tid;
          peer.send(3, tid, Buffer.alloc(1));
          peer.socket.removeAllListeners("data");
          peer.socket.on("data", (bytes) => {
            left -= bytes.length;
            if (left > 0) return;
            left += tid;
            process.send!({ drained: true });
          });
        }
      },
    });
  };
  const crc = await listen("crc");
  const secure = await listen("secure");
  /** Sends the last bytes again, or counts received bytes, without any protocol. */
  const plain = createServer((socket) => {
    socket.once("data", (command) => {
      if (command[0] === 1) {
        socket.write(lastBlast);
        return;
      }
      let left = command.readUInt32LE(1);
      socket.write(Buffer.of(1));
      socket.on("data", (bytes) => {
        left -= bytes.length;
        if (left <= 0) process.send!({ drained: true });
      });
    });
  });
  plain.listen(0, "127.0.0.1", () => {
    const address = plain.address() as { port: number };
    process.send!({ crc: crc.addr.port, secure: secure.addr.port, plain: address.port });
  });
}

import { once } from "node:events";
import { connect } from "node:net";

/** Whether a server listens on a unix socket. The socket's file exists a moment earlier. */
export async function listens(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

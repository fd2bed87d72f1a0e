import { once } from "node:events";
import { connect } from "node:net";

/** Whether somebody listens on a unix socket: its name is there a moment earlier. */
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

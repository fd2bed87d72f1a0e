import { VhostServer } from "../../../attach/src/vhost/server.ts";
import { FileDevice } from "./file-device.ts";

/**
 * Serves a file over vhost-user-blk in a process that can be killed: `serve-file.ts SOCKET FILE`. A message with a size resizes the
 * file; the reply has the number of operations of each kind.
 */
const [socket, file] = process.argv.slice(2) as [string, string];
const device = new FileDevice(file);
const server = await VhostServer.listen({
  device,
  socket,
  serial: "a-file",
  report: (event) =>
    console.error(JSON.stringify(event, (_, value) => (value instanceof Error ? value.stack : value))),
});
process.on("message", (size: number) => {
  if (size !== device.size) device.resize(size);
  process.send!([...server.metrics.operations]);
});
process.on("SIGTERM", () => {
  void server.close().then(() => {
    device[Symbol.dispose]();
    process.disconnect();
  });
});
process.send!("listening");

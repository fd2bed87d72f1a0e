import { NbdServer } from "../../src/nbd/server.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { FileDevice } from "./file-device.ts";

/** Serves a file over NBD, as a process that can be killed: `serve-nbd.ts SOCKET FILE`. */
const [path, file] = process.argv.slice(2) as [string, string];
const device = new FileDevice(file);
const disk = { name: "disk", description: file, device, extents: undefined, metrics: new IoMetrics() };
await NbdServer.listen({ address: { path }, exports: [disk], log: console.error });
process.send!("listening");

/** Takes over a socket as the service manager hands it over, and greets who connects: `node heir.ts PATH`. */
import { createServer } from "node:net";
import { listenAt } from "../../src/server/listen.ts";
import { ownerOnly } from "../../src/server/socket-access.ts";
import { KeptSockets } from "../../src/service/kept-sockets.ts";
import { ServiceManager } from "../../src/service/sd-notify.ts";

const log = (line: string) => void process.stderr.write(`${line}\n`);
const sockets = new KeptSockets(new ServiceManager(process.env, log), process.env, log);
const server = createServer((socket) => socket.end("hello from the heir"));
await listenAt(server, { path: process.argv[2]! }, ownerOnly, log, sockets);
sockets.dropRest();

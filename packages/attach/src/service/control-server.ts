import { createServer, type Server, type Socket } from "node:net";
import { resolve } from "node:path";
import { AttachError } from "../errors.ts";
import { listenAt } from "../server/listen.ts";
import type { Log } from "../server/log.ts";
import { ownerOnly } from "../server/socket-access.ts";
import type { SocketKeeper } from "../server/socket-keeper.ts";
import { failureOf } from "../shards/failure.ts";
import type { AttachService } from "./attach-service.ts";
import { type ControlAnswer, type ControlRequest, longestRequest, parseRequest } from "./control-protocol.ts";

/**
 * The service's control socket: requests and answers as JSON, a line each. Only the user who runs the service can
 * connect, by the socket's owner and mode. A client has one request in flight; further ones wait in its socket. An
 * invalid request ends its connection.
 */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  /** @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if another service listens there */
  static async listen(
    path: string,
    service: Pick<
      AttachService,
      "add" | "remove" | "list" | "show" | "limit" | "drain" | "resume" | "reload" | "known"
    >,
    log: Log,
    keeper?: SocketKeeper,
  ): Promise<ControlServer> {
    // A client that has closed its sending side still waits for its answer.
    const server = createServer({ allowHalfOpen: true });
    const control = new ControlServer(server);
    server.maxConnections = mostClients;
    server.on("connection", (socket) => control.#serve(socket, (request) => carryOut(service, request)));
    await listenAt(server, { path: resolve(path) }, ownerOnly, log, keeper);
    return control;
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  #serve(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
    this.#clients.add(socket);
    socket.once("close", () => this.#clients.delete(socket));
    // If a client disconnects, its request is still carried out.
    socket.on("error", () => {});
    let isBusy = false;
    socket.setTimeout(patience, () => {
      if (!isBusy) socket.destroy();
    });
    const run = async () => {
      for await (const line of linesOf(socket)) {
        isBusy = true;
        const { reply, isOver } = await answerTo(line, answer);
        if (socket.destroyed) return;
        // A client that does not read its answer is disconnected.
        isBusy = false;
        await new Promise<void>((done) => {
          socket.write(`${JSON.stringify(reply)}\n`, () => done());
        });
        if (isOver) break;
      }
    };
    run()
      .catch((error) => {
        if (socket.destroyed) return;
        socket.write(`${JSON.stringify({ ok: false, error: failureOf(error, "SIPHON_ATTACH_CONTROL") })}\n`);
      })
      .finally(() => {
        // Drop further bytes for a moment: closing a socket with unread bytes would discard the answer.
        socket.end();
        socket.resume();
        setTimeout(() => socket.destroy(), lingering).unref();
      });
  }
}

/** Clients at a time: more than people and hooks need. */
const mostClients = 64;
/** Milliseconds for a client to send a request, or to read an answer. */
const patience = 30_000;
const lingering = 1000;

async function answerTo(
  line: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<{ reply: ControlAnswer; isOver: boolean }> {
  let request: ControlRequest;
  try {
    request = parseRequest(line);
  } catch (error) {
    return { reply: { ok: false, error: failureOf(error) }, isOver: true };
  }
  const id = request.id === undefined ? {} : { id: request.id };
  try {
    return { reply: { ...id, ok: true, result: (await answer(request)) ?? null }, isOver: false };
  } catch (error) {
    return { reply: { ...id, ok: false, error: failureOf(error, "SIPHON_ATTACH_CONTROL") }, isOver: false };
  }
}

/** @throws AttachError SIPHON_ATTACH_CONTROL for a line that is too long */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]).toString();
      rest = rest.subarray(end + 1);
      parts = [];
      length = 0;
    }
    length += rest.length;
    if (length > longestRequest) {
      throw new AttachError("SIPHON_ATTACH_CONTROL", `a request has at most ${longestRequest} bytes`);
    }
    if (rest.length > 0) parts.push(rest);
  }
}

async function carryOut(service: Parameters<typeof ControlServer.listen>[1], request: ControlRequest) {
  // A client that waited for a restart must not get an empty list.
  await service.known;
  switch (request.command) {
    case "add":
      return service.add(request.name, request.disk, request.persist ?? false);
    case "rm":
      return service.remove(request.name, request.force ?? false);
    case "limit":
      return service.limit(request.name, request.limit, request.persist ?? false);
    case "list":
    case "reload":
      return service[request.command]();
    default:
      return service[request.command](request.name);
  }
}

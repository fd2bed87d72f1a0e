import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Attachment } from "./attachment.ts";
import { type ListenAddress, listenAt } from "./listen.ts";
import { prometheusText } from "./prometheus.ts";

/** Answers `GET /metrics` with an attachment's figures. */
export class MetricsServer {
  readonly #server: Server;

  /** @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if another program listens there */
  static async listen(
    address: ListenAddress,
    attachment: Pick<Attachment, "measure">,
    log?: (line: string) => void,
  ): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      void answer(request, attachment).then(({ status, text }) => {
        response.writeHead(status, { "content-type": "text/plain; version=0.0.4" });
        response.end(text);
      });
    });
    server.maxConnections = mostClients;
    server.requestTimeout = patience;
    server.headersTimeout = patience;
    await listenAt(server, address, undefined, log);
    return new MetricsServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Connections at a time: more are not needed, and would take descriptors from disks. */
const mostClients = 16;
/** Milliseconds for a request to arrive. */
const patience = 10_000;

async function answer(
  { method, url }: IncomingMessage,
  attachment: Pick<Attachment, "measure">,
): Promise<{ status: number; text: string }> {
  if (method !== "GET" || url !== "/metrics") return { status: 404, text: "the figures are at /metrics\n" };
  try {
    return { status: 200, text: prometheusText(await attachment.measure()) };
  } catch (error) {
    return { status: 500, text: `${(error as Error).message}\n` };
  }
}

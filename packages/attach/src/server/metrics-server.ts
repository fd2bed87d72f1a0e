import { createServer, type Server } from "node:http";
import type { Attachment } from "./attachment.ts";
import { type ListenAddress, listenAt } from "./listen.ts";
import { prometheusText } from "./prometheus.ts";

/** Answers `GET /metrics` with an attachment's figures. */
export class MetricsServer {
  readonly #server: Server;

  /** Throws SIPHON_ATTACH_SOCKET_BUSY where something listens. */
  static async listen(
    address: ListenAddress,
    attachment: Pick<Attachment, "measure">,
  ): Promise<MetricsServer> {
    const server = createServer(async (request, response) => {
      const known = request.method === "GET" && request.url === "/metrics";
      const text = known ? prometheusText(await attachment.measure()) : "the figures are at /metrics\n";
      response.writeHead(known ? 200 : 404, { "content-type": "text/plain; version=0.0.4" });
      response.end(text);
    });
    await listenAt(server, address);
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

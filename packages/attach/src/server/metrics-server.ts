import { createServer, type Server } from "node:http";
import { type ListenAddress, listenAt } from "./listen.ts";
import { type MeasuredDisk, prometheusText } from "./prometheus.ts";

/** Answers `GET /metrics` with the figures of disks. */
export class MetricsServer {
  readonly #server: Server;

  /** Throws SIPHON_ATTACH_SOCKET_BUSY where something listens. */
  static async listen(address: ListenAddress, disks: readonly MeasuredDisk[]): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const known = request.method === "GET" && request.url === "/metrics";
      response.writeHead(known ? 200 : 404, { "content-type": "text/plain; version=0.0.4" });
      response.end(known ? prometheusText(disks) : "the figures are at /metrics\n");
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

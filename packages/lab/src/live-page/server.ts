import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { LiveRun, Watcher } from "./live-run.ts";
import { livePage } from "./page.ts";

/** Maximum number of readers: more than a person has open. */
const MOST_READERS = 8;

/** Milliseconds for readers to receive the last event. */
const ENDING_MS = 1_000;

/**
 * Serves the page of a run in progress to this machine only: its address has a random token, and nothing else is
 * served. Readers receive server-sent events. It ends with the run.
 */
export class LiveServer implements AsyncDisposable {
  /** The page's address. */
  readonly url: string;
  readonly #run: LiveRun;
  readonly #server: Server;
  readonly #hosts: ReadonlySet<string>;
  readonly #token: Buffer;
  readonly #page: string;
  /** Each reader, with the function that sends it the last event and disconnects it. */
  readonly #readers = new Map<ServerResponse, () => void>();

  private constructor(run: LiveRun, server: Server, title: string) {
    this.#run = run;
    this.#server = server;
    this.#page = livePage(title);
    const { port } = server.address() as AddressInfo;
    const token = randomBytes(24).toString("base64url");
    this.#token = digest(token);
    // Rejects DNS rebinding: a page of another site whose name resolves to this machine sends its own name.
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
    this.url = `http://127.0.0.1:${port}/${token}/`;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  static async start(run: LiveRun, title: string): Promise<LiveServer> {
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new LiveServer(run, server, title);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(alwaysHeaders)) response.setHeader(name, value);
    const asked = this.#askedFor(request);
    if (asked === "page") {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(this.#page);
    } else if (asked === "events") {
      this.#stream(response);
    } else {
      response.writeHead(asked, { "Content-Type": "text/plain" }).end();
    }
  }

  /** The requested resource, or the status of a refusal. */
  #askedFor({ method, url = "", headers }: IncomingMessage): "page" | "events" | number {
    if (headers.host === undefined || !this.#hosts.has(headers.host)) return 403;
    const [, token = "", name, ...more] = url.split("/");
    if (!timingSafeEqual(digest(token), this.#token) || more.length > 0) return 404;
    if (name !== "" && name !== "events") return 404;
    if (method !== "GET") return 405;
    if (name === "") return "page";
    return this.#readers.size < MOST_READERS ? "events" : 503;
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const reader = latestOnly(response);
    const leave = this.#run.watch(reader);
    this.#readers.set(response, () => {
      leave();
      reader.flush();
      response.end();
    });
    response.on("close", () => {
      leave();
      this.#readers.delete(response);
    });
  }

  /** Sends readers the last event, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const end of this.#readers.values()) end();
    const limit = setTimeout(() => this.#server.closeAllConnections(), ENDING_MS);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(limit);
  }
}

const alwaysHeaders = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Makes tokens of any length comparable in constant time. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * A slow reader skips outdated events: only the latest of each kind waits for it. `flush` writes the waiting events
 * regardless of buffer space.
 */
export function latestOnly(response: Pick<ServerResponse, "write" | "on">): Watcher & { flush(): void } {
  const waiting = new Map<string, string>();
  let full = false;
  const send = (kind: string, value: unknown) => {
    const event = `event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`;
    if (full) waiting.set(kind, event);
    else full = !response.write(event);
  };
  response.on("drain", () => {
    full = false;
    for (const [kind, event] of waiting) {
      waiting.delete(kind);
      full = !response.write(event);
      if (full) return;
    }
  });
  return {
    state: (state) => send("state", state),
    charts: (charts) => send("charts", charts),
    flush: () => {
      for (const event of waiting.values()) response.write(event);
      waiting.clear();
    },
  };
}

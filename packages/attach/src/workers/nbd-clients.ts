import { type ConnectionHost, NbdConnection } from "../nbd/connection.ts";
import { connectionHost, watchStalled } from "../nbd/server.ts";
import type { Limits } from "../server/limits.ts";
import type { FromPart, PartClients } from "./messages.ts";

/** The clients of NBD that a worker serves. */
export class NbdClients {
  readonly #exports: ConnectionHost["exports"];
  readonly #tell: (message: FromPart) => void;
  readonly #limits: Limits;
  readonly #byId = new Map<number, NbdConnection>();
  readonly #ids = new Map<NbdConnection, number>();
  #host!: ConnectionHost;

  constructor(exports: ConnectionHost["exports"], limits: Limits, tell: (message: FromPart) => void) {
    this.#exports = exports;
    this.#tell = tell;
    this.#limits = limits;
    watchStalled(this.#byId, limits.budget);
  }

  begin({ credentials, handshakeTimeout }: PartClients): void {
    const tell = this.#tell;
    this.#host = connectionHost({
      ...{ exports: this.#exports, credentials, handshakeTimeout, limits: this.#limits },
      log: (line) => tell({ type: "log", line }),
      served: (connection) => tell({ type: "served", id: this.#ids.get(connection)! }),
      closed: (connection) => {
        const id = this.#ids.get(connection)!;
        this.#ids.delete(connection);
        this.#byId.delete(id);
        tell({ type: "closed", id });
      },
    });
  }

  add(id: number, fd: number, name: string): void {
    const connection = new NbdConnection(this.#host, fd, name);
    this.#byId.set(id, connection);
    this.#ids.set(connection, id);
  }

  of(id: number): NbdConnection | undefined {
    return this.#byId.get(id);
  }
}

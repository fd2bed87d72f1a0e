// One worker's part in serving an image over NBD: see `WorkedDisk`.
import type { InWorker } from "@siphon/rbd/engine";
import { PausingDevice } from "../health/pausing-device.ts";
import { type ConnectionHost, NbdConnection } from "../nbd/connection.ts";
import { connectionHost, watchStalled } from "../nbd/server.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import { createLimits, type Limits } from "../server/limits.ts";
import { ThrottledDevice } from "../throttle/throttled-device.ts";
import { AskedExtents } from "./asked-extents.ts";
import { ImageDevice } from "./image-device.ts";
import type { FromPart, PartClients, PartStart, ToPart } from "./messages.ts";

/** Until the image is closed. */
export const inWorker: InWorker<PartStart, never> = (image, { index, data, listen, ...part }) => {
  const tell = (message: FromPart) => part.tell(message);
  const metrics = new IoMetrics(undefined, data.metrics[index]);
  const device = new ImageDevice(image);
  const patient =
    data.onError === "pause"
      ? new PausingDevice(device, {
          paused: (why) => tell({ type: "paused", why }),
          resumed: () => tell({ type: "resumed" }),
        })
      : device;
  const throttled = new ThrottledDevice(patient, metrics, data.buckets);
  const snapshots = () =>
    [...image.state.snapshots.values()]
      .filter(({ id }) => image.snapId < 0 || id < image.snapId)
      .map(({ name }) => name);
  const extents = new AskedExtents(snapshots, tell);
  const { name } = data;
  const served = { name, description: `RBD image ${name}`, device: throttled, extents, metrics };
  const clients = new Clients(new Map([[name, served]]), data.maxInFlight, tell);
  listen((said) => {
    const message = said as ToPart;
    if (message.type === "begin") clients.begin(message.clients);
    else if (message.type === "client") clients.add(message.id, message.fd, message.name);
    else if (message.type === "evict") clients.of(message.id)?.evict(message.reason);
    else if (message.type === "stop") clients.of(message.id)?.stop(message.force);
    else if (message.type === "limit") throttled.limit(message.limits);
    else extents.answered(message.id, message.extents);
  });
  tell({ type: "ready" });
  return new Promise(() => {});
};

class Clients {
  readonly #exports: ConnectionHost["exports"];
  readonly #tell: (message: FromPart) => void;
  readonly #limits: Limits;
  readonly #byId = new Map<number, NbdConnection>();
  readonly #ids = new Map<NbdConnection, number>();
  #host!: ConnectionHost;

  constructor(exports: ConnectionHost["exports"], maxInFlight: number, tell: (message: FromPart) => void) {
    this.#exports = exports;
    this.#tell = tell;
    // The accepting thread counts the clients.
    this.#limits = createLimits({ bytes: maxInFlight, connections: Number.POSITIVE_INFINITY });
    watchStalled(this.#byId, this.#limits.budget);
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

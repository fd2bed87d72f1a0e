// One worker's part in serving an image: see `WorkedDisk`.
import type { InWorker } from "@siphon/rbd/engine";
import { PausingDevice } from "../health/pausing-device.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import { createLimits } from "../server/limits.ts";
import { ThrottledDevice } from "../throttle/throttled-device.ts";
import { AskedExtents } from "./asked-extents.ts";
import { ImageDevice } from "./image-device.ts";
import type { FromPart, PartStart, ToPart } from "./messages.ts";
import { NbdClients } from "./nbd-clients.ts";
import { RingPart } from "./ring-part.ts";

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
  // The accepting thread counts the clients.
  const limits = createLimits({ bytes: data.maxInFlight, connections: Number.POSITIVE_INFINITY });
  const clients = new NbdClients(new Map([[name, served]]), limits, tell);
  const rings = new RingPart({ device: throttled, metrics, budget: limits.budget }, data.orphans, tell);
  listen((said) => {
    const message = said as ToPart;
    if (message.type === "begin") clients.begin(message.clients);
    else if (message.type === "client") clients.add(message.id, message.fd, message.name);
    else if (message.type === "evict") clients.of(message.id)?.evict(message.reason);
    else if (message.type === "stop") clients.of(message.id)?.stop(message.force);
    else if (message.type === "limit") throttled.limit(message.limits);
    else if (message.type === "rings") void rings.carryOut(message.id, message.call);
    else if (message.type === "goOn") rings.goOn();
    else extents.answered(message.id, message.extents);
  });
  tell({ type: "ready" });
  return new Promise(() => {});
};

import { once } from "node:events";
import { Cluster } from "@siphon/rados";
import { endedInTime } from "../server/drain-timeout.ts";
import { endOnSurprise } from "../server/surprise.ts";
import { failureOf } from "../shards/failure.ts";
import { tellParent } from "../shards/tell-parent.ts";
import type { DeviceJob, DeviceStart } from "./device-request.ts";
import { cookieOf, devicePath, loadDriver } from "./kernel-device.ts";
import { kernelLog } from "./kernel-log.ts";
import { MappedDevice } from "./mapped-device.ts";
import { forgetMapping, recordMapping } from "./mappings.ts";

/**
 * The program behind a block device, from its mapping to its end. The process that starts it learns the outcome and may
 * then end. A signal ends the program in order; the device stays for another process.
 */
endOnSurprise();
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
process.on("SIGHUP", () => {});
const giveUp = () => stop.abort();
process.once("disconnect", giveUp);
process.once("message", async (job: DeviceJob) => {
  let exitCode = 0;
  try {
    await endedInTime(serve(job), stop.signal, drainTimeout);
  } catch (error) {
    exitCode = 1;
    const failure = failureOf(error, "SIPHON_ATTACH_DEVICE");
    if (process.connected) await tell({ type: "failed", failure });
    else log(failure.message);
  }
  process.exit(exitCode);
});

/** Milliseconds for the cluster to complete the requests in flight. */
const drainTimeout = 30_000;
const log = kernelLog();
// Nobody reads standard error once the device is there.
process.on("uncaughtExceptionMonitor", ({ message }) =>
  log(`unexpected failure, this process ends: ${message}`),
);

async function serve({ cluster: options, request, directory }: DeviceJob): Promise<void> {
  const { signal } = stop;
  const warnings: Promise<void>[] = [];
  await loadDriver(request, (line) => warnings.push(tell({ type: "warning", line })));
  const cluster = await Cluster.connect({ ...options, signal });
  const device = await MappedDevice.start(cluster, request, log);
  const path = devicePath(device.index);
  try {
    // The process that started this one may have given up meanwhile.
    signal.throwIfAborted();
    await recordMapping(directory, mappingOf(request, path));
  } catch (error) {
    // A device that was there before may be mounted.
    if (request.isAttached) await device.detach();
    else await device.unmap();
    throw error;
  }
  await tell({ type: "mapped", device: path, cookie: await cookieOf(device.index) });
  process.off("disconnect", giveUp);
  // Nobody waits for this process any more, and the directory that it began in may be unmounted.
  if (process.connected) process.disconnect();
  process.chdir("/");
  await Promise.race([device.ended, signal.aborted || once(signal, "abort")]);
  try {
    await forgetMapping(directory, path);
  } finally {
    await device.detach();
    cluster.close();
  }
}

function mappingOf({ image, snapshotId }: DeviceJob["request"], device: string) {
  const { pool, namespace, image: name, snapshot = "" } = image;
  return {
    ...{ pool, namespace, image: name, device },
    snapshot: snapshotId === undefined ? snapshot : `@${snapshotId}`,
  };
}

const tell = (message: DeviceStart): Promise<void> => tellParent(message);

import { flushCompileCache } from "node:module";
import { Cluster } from "@siphon/rados";
import type { OpenTransport } from "@siphon/rados/engine";
import { ImagePool } from "@siphon/rbd";
import { openTcp } from "../../../../rados/src/messenger/transport.ts";
import { operations } from "./operations.ts";
import type { FromWorker, ToWorker } from "./victim.ts";

/** The process that is killed: `fork(worker.ts, [CONF, POOL, DIFF])`. It reports when it is connected, and starts when it is told to. */
const [conf, pool, diff] = process.argv.slice(2) as [string, string, string];
let writes = 0;
let lastWrite = Number.POSITIVE_INFINITY;

/** TCP that kills this process after the write `lastWrite`. */
const counted: OpenTransport = (target, events) => {
  const transport = openTcp(target, events);
  return {
    write: (chunks, written) => {
      transport.write(chunks, written);
      if (++writes >= lastWrite) process.kill(process.pid, "SIGKILL");
    },
    destroy: () => transport.destroy(),
  };
};

const cluster = await Cluster.connect({ conf, name: "client.admin", env: {}, openTransport: counted });
const images = await ImagePool.open(cluster, pool);
// Loads all code for reading and for connections first, because only the operation itself is to be killed.
{
  await using image = await images.open("parent", { readOnly: true, watch: false });
  await image.read(0, image.size);
}
// A process killed at once could not leave its compiled modules to the next one.
flushCompileCache();
const { promise: told, resolve } = Promise.withResolvers<ToWorker>();
// The process waits until it is told to start, is killed, or its parent is gone.
process.on("message", resolve);
process.on("disconnect", () => process.exit(1));
say({ type: "ready" });
const { operation, killAtWrite } = await told;
writes = 0;
lastWrite = killAtWrite ?? lastWrite;
try {
  await operations[operation].run(images, diff);
  say({ type: "done", writes });
} catch (error) {
  say({ type: "failed", message: String((error as Error).stack) });
}

function say(message: FromWorker): void {
  process.send!(message);
}

import { flushCompileCache } from "node:module";
import { Cluster } from "@siphon/rados";
import type { OpenTransport } from "@siphon/rados/engine";
import { ImagePool } from "@siphon/rbd";
import { openTcp } from "../../../../rados/src/messenger/transport.ts";
import { operations } from "./operations.ts";
import type { FromWorker, ToWorker } from "./victim.ts";

/** The process that is killed: `fork(worker.ts, [CONF, POOL, DIFF])`. It says when it is connected, and begins when it is told to. */
const [conf, pool, diff] = process.argv.slice(2) as [string, string, string];
let writes = 0;
let lastWrite = Number.POSITIVE_INFINITY;

/** TCP that ends this process behind the last write that it is to see. */
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
// Loads what reading and the connections take: the operation itself is what is to be killed.
{
  await using image = await images.open("parent", { readOnly: true, watch: false });
  await image.read(0, image.size);
}
// A process that is killed at once leaves no compiled modules to the next.
flushCompileCache();
const { promise: told, resolve } = Promise.withResolvers<ToWorker>();
// It stays until it is killed, or nobody is there to do that.
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

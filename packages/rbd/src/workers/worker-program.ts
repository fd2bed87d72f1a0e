// A thread that reads and writes an image for `ImageWorkers`, as a client of the cluster that is fenced together with
// the owner.
import { workerData } from "node:worker_threads";
import { Cluster, RadosError } from "@siphon/rados";
import { throwUnowned } from "@siphon/rados/engine";
import type { WorkerStart } from "./messages.ts";
import { plainError } from "./plain-error.ts";
import { Inbox, runHere } from "./run-here.ts";
import { WorkerSide } from "./worker-side.ts";

const { port, cluster: options, fsid } = workerData as WorkerStart;
const runs = new Map<number, { readonly aborting: AbortController; readonly inbox: Inbox }>();
let cluster: Cluster | undefined;

const side = new WorkerSide(port, {
  get objecter() {
    return cluster!.objecter;
  },
  async run({ run, module, index, count, data }, image) {
    const aborting = new AbortController();
    const inbox = new Inbox();
    runs.set(run, { aborting, inbox });
    try {
      const tell = (message: unknown) => side.owner.tell({ type: "told", run, message });
      const { listen } = inbox;
      return await runHere(module, image, { index, count, data, signal: aborting.signal, tell, listen });
    } finally {
      runs.delete(run);
    }
  },
  abort: (run, error) => runs.get(run)?.aborting.abort(error),
  tell: (run, message) => runs.get(run)?.inbox.put(message),
  // Ends this thread only.
  end: () => process.exit(),
});
// A thread must not continue without its owner.
port.on("close", () => throwUnowned(new Error("the channel to the image's owner ended")));
port.on("messageerror", throwUnowned);

void connect();

async function connect(): Promise<void> {
  try {
    cluster = await Cluster.connect(options);
    if (cluster.fsid !== fsid) {
      const there = `the configuration now names another cluster (${cluster.fsid})`;
      throw new RadosError("SIPHON_RADOS_CONFIG", `${there} than when the image was opened (${fsid})`);
    }
    side.owner.tell({ type: "connected" });
  } catch (error) {
    side.owner.tell({ type: "refused", error: plainError(error) });
  }
}

// A thread that reads and writes an image for `ImageWorkers`, as a client of the cluster that is fenced along with the owner.
import { workerData } from "node:worker_threads";
import { Cluster, RadosError } from "@siphon/rados";
import type { WorkerStart } from "./messages.ts";
import { plainError } from "./plain-error.ts";
import { runHere } from "./run-here.ts";
import { WorkerSide } from "./worker-side.ts";

const { port, cluster: options, fsid } = workerData as WorkerStart;
const runs = new Map<number, AbortController>();
let cluster: Cluster | undefined;

const side = new WorkerSide(port, {
  get objecter() {
    return cluster!.objecter;
  },
  async run({ run, module, index, count, data }, image) {
    const aborting = new AbortController();
    runs.set(run, aborting);
    try {
      const tell = (message: unknown) => side.owner.tell({ type: "told", run, message });
      return await runHere(module, image, { index, count, data, signal: aborting.signal, tell });
    } finally {
      runs.delete(run);
    }
  },
  abort: (run, error) => runs.get(run)?.abort(error),
});

void connect();

async function connect(): Promise<void> {
  try {
    cluster = await Cluster.connect(options);
    if (cluster.fsid !== fsid) {
      const there = `the configuration names another cluster now (${cluster.fsid})`;
      throw new RadosError("SIPHON_RADOS_CONFIG", `${there} than when the image was opened (${fsid})`);
    }
    side.owner.tell({ type: "connected" });
  } catch (error) {
    side.owner.tell({ type: "refused", error: plainError(error) });
  }
}

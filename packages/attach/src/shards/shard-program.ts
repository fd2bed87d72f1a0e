import { once } from "node:events";
import { endedInTime } from "../server/drain-timeout.ts";
import { logTo } from "../server/log.ts";
import { endOnSurprise } from "../server/surprise.ts";
import { DiskHost } from "./disk-host.ts";
import { failureOf } from "./failure.ts";
import type { FromShard, ShardJob, ShardTask, ToShard } from "./messages.ts";
import { tellParent } from "./tell-parent.ts";

/** The program of a shard: serves images until it is told to end, or its parent process is gone. */
endOnSurprise();
const stop = new AbortController();
let host: DiskHost | undefined;

process.once("disconnect", () => stop.abort());
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());

process.on("message", async (message: ToShard) => {
  if (message.type === "serve") void run(message.job);
  else if (message.type === "task") await carryOut(message.id, message.task);
  else if (message.type === "drain") stop.abort();
  else if (message.type === "ask") await tell({ type: "alive" });
  else await tell({ type: "measured", disks: host?.measure() ?? [] });
});

async function run(job: ShardJob): Promise<void> {
  let exitCode = 0;
  try {
    await endedInTime(serve(job), stop.signal, job.drainTimeout);
  } catch (error) {
    exitCode = 1;
    const failure = failureOf(error);
    if (process.connected) await tell({ type: "failed", failure });
    else process.stderr.write(`siphon: ${failure.message}\n`);
  }
  process.exit(exitCode);
}

async function serve({ cluster, request, maxInFlight, logFormat }: ShardJob): Promise<void> {
  const log = logTo(process.stderr, logFormat);
  const bytes = request?.maxInFlight ?? maxInFlight;
  const { signal } = stop;
  host = new DiskHost({ cluster, log, signal, ...(bytes !== undefined && { maxInFlight: bytes }) });
  const points = request === undefined ? [] : await host.carryOut({ do: "add", part: wholeRequest, request });
  await tell({ type: "serving", points });
  if (!signal.aborted) await once(signal, "abort");
  await host.drain();
}

const wholeRequest = "";

async function carryOut(id: number, task: ShardTask): Promise<void> {
  try {
    await tell({ type: "done", id, points: await host!.carryOut(task) });
  } catch (error) {
    await tell({ type: "undone", id, failure: failureOf(error) });
  }
}

const tell = (message: FromShard): Promise<void> => tellParent(message);

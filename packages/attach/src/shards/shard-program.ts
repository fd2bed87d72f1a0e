import { once } from "node:events";
import { Cluster } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { attachImages } from "../server/attach-images.ts";
import type { Attachment } from "../server/attachment.ts";
import { endedInTime } from "../server/drain-timeout.ts";
import { logTo } from "../server/log.ts";
import { endOnSurprise } from "../server/surprise.ts";
import type { FromShard, ShardFailure, ShardJob, ToShard } from "./messages.ts";

/** The program of a shard: serves its images until it is told to end, or whoever started it is gone. */
endOnSurprise();
const stop = new AbortController();
let attachment: Attachment | undefined;

process.once("disconnect", () => stop.abort());
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());

process.on("message", async (message: ToShard) => {
  if (message.type === "serve") void run(message.job);
  else if (message.type === "drain") stop.abort();
  else if (message.type === "ask") await tell({ type: "alive" });
  else {
    const { disks = [] } = (await attachment?.measure()) ?? {};
    const figures = disks.map(({ name, size, metrics }) => ({ name, size, io: metrics.figures }));
    await tell({ type: "measured", disks: figures });
  }
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

async function serve({ cluster: options, request, logFormat }: ShardJob): Promise<void> {
  await using cluster = await Cluster.connect({ ...options, signal: stop.signal });
  const log = logTo(process.stderr, logFormat);
  attachment = await attachImages({ cluster, ...request, log });
  await tell({ type: "serving", points: attachment.points });
  if (!stop.signal.aborted) await once(stop.signal, "abort");
  await attachment.drain();
}

function tell(message: FromShard): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, () => resolve());
    else resolve();
  });
}

function failureOf(error: unknown): ShardFailure {
  if (error instanceof SiphonError) {
    const { code, message, hint, remedy, retryable } = error;
    return { code, message, hint, remedy, retryable };
  }
  const message = `unexpected failure: ${error instanceof Error ? error.stack : String(error)}`;
  return { code: "SIPHON_ATTACH_SHARD", message, hint: undefined, remedy: undefined, retryable: false };
}

import { extname } from "node:path";
import { forkProgram } from "@siphon/attach";
import type { LoadOptions } from "@siphon/rbd";
import { LabError } from "../../errors.ts";
import type { FioFigures } from "../../fio/result.ts";
import { within } from "../../host/within.ts";
import type { RbdDisk } from "../../vm/settings.ts";

export interface LoadRequest {
  disk: RbdDisk;
  load: Pick<LoadOptions, "type" | "pattern" | "size" | "depth" | "readPercent"> & { seconds: number };
  /** Bytes of the image to use; default: all. */
  size?: number;
  /** Seconds of the same load before the measurement. */
  warmup: number;
}

/** What the process says: that the measurement begins, then its result. */
export type LoadAnswer =
  | { done: "warm" }
  | { done: "ended"; figures: FioFigures }
  | { failed: string; hint?: string };

export interface LoadWatcher {
  signal: AbortSignal;
  onStart(pid: number): void;
  /** The measurement begins. */
  onWarm(): void;
  /** It has ended; the process still runs. */
  onEnd(figures: FioFigures): void;
}

/** Milliseconds to finish the requests in flight. */
const ENDING_MS = 5000;

/**
 * Puts a load on an image with siphon's client, in a process of its own.
 *
 * @throws LabError SIPHON_PROGRAM_FAILED with the reason; SIPHON_TIMEOUT
 */
export async function runLoad(request: LoadRequest, watcher: LoadWatcher): Promise<FioFigures> {
  const program = new URL(`./load-program${extname(import.meta.filename)}`, import.meta.url);
  const child = forkProgram(program, [], { detached: true });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const answered = Promise.withResolvers<FioFigures>();
  child.on("message", (answer: LoadAnswer) => {
    if ("failed" in answer) answered.reject(failure(answer.failed, answer.hint));
    else if (answer.done === "warm") watcher.onWarm();
    else {
      watcher.onEnd(answer.figures);
      answered.resolve(answer.figures);
    }
  });
  child.once("error", (cause) => answered.reject(failure(cause.message)));
  child.once("exit", (code, signal) =>
    answered.reject(failure(`it ended (${signal ?? `exit code ${code}`})`)),
  );
  if (child.pid !== undefined) watcher.onStart(child.pid);
  child.send(request, () => {}); // its end is noticed
  const seconds = request.warmup + 3 * request.load.seconds + 60;
  try {
    const what = "siphon's load did not end";
    return await within(answered.promise, { timeoutMs: seconds * 1000, signal: watcher.signal, what });
  } finally {
    // Left alone it closes the image, so that no watch of it stays.
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill("SIGKILL"), ENDING_MS);
    await ended;
    clearTimeout(timer);
  }
}

function failure(why: string, hint?: string): LabError {
  return new LabError(
    "SIPHON_PROGRAM_FAILED",
    `siphon's client cannot load the image: ${why}`,
    hint === undefined ? {} : { hint },
  );
}

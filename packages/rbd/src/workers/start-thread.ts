import { parse } from "node:path";
import { type Transferable, Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Starts a module of siphon in its own thread. The packaged siphon has no files for its modules: their addresses begin
 * with `siphon:`, and a thread starts siphon itself with the program's name.
 *
 * @param program the module, `new URL("./name.ts", import.meta.url)`
 */
export function startThread(program: URL, workerData: unknown, transferList: Transferable[]): Worker {
  // Threads pass descriptors to each other. Node would warn about a descriptor that another thread has opened.
  const given = { workerData, transferList, stdout: true, stderr: true, trackUnmanagedFds: false };
  const thread = start(program, given);
  // Otherwise Node would add listeners to the process's streams for each thread, and warn about their number.
  thread.stdout.on("data", (bytes) => process.stdout.write(bytes));
  thread.stderr.on("data", (bytes) => process.stderr.write(bytes));
  return thread;
}

function start(program: URL, given: WorkerOptions): Worker {
  if (program.protocol !== "siphon:") return new Worker(program, given);
  const { name } = parse(program.pathname);
  const env = { ...process.env, SIPHON_PROGRAM: name };
  const options = { ...given, env };
  // The executable is not a script that a thread can start; it contains the script.
  const packed = globalThis as unknown as Record<symbol, (() => string | undefined) | undefined>;
  const script = packed[Symbol.for("siphon.launcher")]?.();
  return script === undefined
    ? new Worker(process.argv[1]!, options)
    : new Worker(script, { ...options, eval: true });
}

import { errno } from "@siphon/wire";
import { z } from "zod";
import { LabError } from "../errors.ts";
import { lastWords } from "../host/command.ts";

/** The result of one fio run; reads and writes of a mixed load are combined. */
export interface FioFigures {
  ios: number;
  iops: number;
  bytesPerSecond: number;
  /** Measured seconds, without the warm-up. */
  seconds: number;
  /** Completion latency in microseconds. */
  latency: { mean: number; p50: number; p95: number; p99: number; p999: number };
}

/** fio's report on one direction, or both together; times in nanoseconds by default. */
const direction = z.object({
  iops: z.number(),
  bw_bytes: z.number(),
  /** Milliseconds. */
  runtime: z.number(),
  total_ios: z.number(),
  clat_ns: z.object({ mean: z.number(), percentile: z.record(z.string(), z.number()).optional() }),
});

const output = z.object({
  jobs: z.array(
    z.object({
      /** An errno. */
      error: z.number(),
      read: direction,
      write: direction,
      /** Present with unified_rw_reporting=both. */
      mixed: direction.optional(),
    }),
  ),
});

/** The output of a shell that ran fio. */
export interface FioOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** fio's exit code after SIGINT; its output has the measurements so far. */
const INTERRUPTED = 128;

/**
 * Parses fio's JSON, also after an interruption if `interrupted` is set.
 *
 * @throws LabError SIPHON_NO_SPACE if fio filled a file system, SIPHON_GUEST for an I/O error, SIPHON_PROGRAM_FAILED if
 * it failed otherwise, did no I/O, or ran less than the requested `seconds`
 */
export function parseFio(
  said: FioOutput,
  { seconds, interrupted = false }: { seconds?: number; interrupted?: boolean } = {},
): FioFigures {
  const parsed = output.safeParse(jsonIn(said.stdout));
  if (!parsed.success) throw failed(said, "it printed no result that is understood", parsed.error);
  const [job] = parsed.data.jobs;
  if (!job) throw failed(said, "it ran no job");
  if (job.error !== 0) throw ioError(said, job.error);
  if (said.exitCode !== (interrupted ? INTERRUPTED : 0)) throw failed(said, "it reports no error of its own");
  const figures = toFigures(job.mixed ?? (job.write.total_ios > 0 ? job.write : job.read));
  if (figures.ios === 0) throw failed(said, "it finished no I/O in the time measured");
  // Before it ends, fio waits for requests in flight, so it runs longer, not shorter.
  if (seconds !== undefined && figures.seconds < seconds * 0.9) {
    throw failed(said, `it measured ${figures.seconds} s and not ${seconds} s`);
  }
  return figures;
}

/** fio prints notes and warnings on the same stream. */
function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^\{/m);
  try {
    return JSON.parse(stdout.slice(start, stdout.lastIndexOf("}") + 1));
  } catch {
    return undefined;
  }
}

function toFigures(all: z.infer<typeof direction>): FioFigures {
  const percentile = (name: string) => microseconds(all.clat_ns.percentile?.[name] ?? 0);
  return {
    ios: all.total_ios,
    iops: all.iops,
    bytesPerSecond: all.bw_bytes,
    seconds: all.runtime / 1000,
    latency: {
      mean: microseconds(all.clat_ns.mean),
      p50: percentile("50.000000"),
      p95: percentile("95.000000"),
      p99: percentile("99.000000"),
      p999: percentile("99.900000"),
    },
  };
}

function microseconds(nanoseconds: number): number {
  return nanoseconds / 1000;
}

function ioError(said: FioOutput, code: number): LabError {
  if (code === errno.ENOSPC) {
    return new LabError("SIPHON_NO_SPACE", `fio filled the disk: ${lastWords({ ...said, stdout: "" })}`, {
      hint: "use a smaller size, or a bigger image",
    });
  }
  const message = `fio got an I/O error (errno ${code}): ${lastWords({ ...said, stdout: "" })}`;
  return new LabError("SIPHON_GUEST", message);
}

function failed(said: FioOutput, why: string, cause?: unknown): LabError {
  const words = lastWords(said.stdout.includes("{") ? { ...said, stdout: "" } : said);
  const message = `fio failed (exit code ${said.exitCode}): ${why}; ${words}`;
  return new LabError("SIPHON_PROGRAM_FAILED", message, { cause });
}

import { tmpdir } from "node:os";
import { longestTimer } from "@siphon/wire";
import { z } from "zod";
import type { CephClient } from "../ceph/client.ts";
import { LabError } from "../errors.ts";
import { targetOptions } from "../fio/command.ts";
import { rbdEngineEnvironment } from "../fio/rbd-engine.ts";
import { lastWords, run } from "../host/command.ts";
import { withProgram } from "../host/platform.ts";

/** The target of a filler. */
export interface Fill {
  client: CephClient;
  image: string;
  /** Bytes to fill, from the start. */
  size: number;
  /** Called with the number of bytes written. */
  progress: (done: number) => void;
  signal: AbortSignal;
}

const BLOCK = 4 * 2 ** 20;

/** Fills an image by fio's rbd engine. */
export async function fillWithFio({ client, image, size, progress, signal }: Fill): Promise<void> {
  const tail = size % BLOCK;
  const args = [
    "--output-format=json",
    "--status-interval=1",
    ...targetOptions({ image: { pool: client.pool, image, user: client.target.user } }),
    "--rw=write",
    "--iodepth=16",
    "--refill_buffers",
    "--end_fsync=1",
    ...(size > tail ? ["--name=blocks", `--bs=${BLOCK}`, `--size=${size - tail}`] : []),
    ...(tail > 0
      ? ["--name=tail", "--stonewall", `--bs=${tail}`, `--offset=${size - tail}`, `--size=${tail}`]
      : []),
  ];
  const reports = new JsonDocuments();
  let last: Report = { jobs: [] };
  const written = () => last.jobs.reduce((sum, { write }) => sum + write.io_bytes, 0);
  const result = await run("fio", args, {
    from: withProgram(client.platform, "fio"),
    env: rbdEngineEnvironment(client),
    cwd: tmpdir(),
    anyExitCode: true,
    signal,
    timeoutMs: longestTimer,
    onStdout: (text) => {
      for (const document of reports.push(text)) {
        last = report.parse(document);
        if (written() > 0) progress(written());
      }
    },
  });
  if (result.exitCode === 0 && last.jobs.every(({ error }) => error === 0) && written() === size) return;
  throw new LabError(
    "SIPHON_PROGRAM_FAILED",
    `fio could not fill the image ${client.spec(image)}: ${lastWords(result)}`,
  );
}

const report = z.object({
  jobs: z.array(z.object({ error: z.int(), write: z.object({ io_bytes: z.int() }) })),
});
type Report = z.output<typeof report>;

/** Splits fio's output with a status interval: a sequence of indented JSON objects. */
class JsonDocuments {
  #text = "";

  /** The objects completed by this piece of text. */
  push(piece: string): unknown[] {
    this.#text += piece;
    const parts = this.#text.split(/^\}$/m);
    this.#text = parts.pop()!;
    return parts.map((part) => JSON.parse(`${part.slice(part.indexOf("{"))}}`));
  }
}

import { tmpdir } from "node:os";
import { z } from "zod";
import type { CephClient } from "../ceph/client.ts";
import { checkSpace } from "../ceph/space.ts";
import { LabError } from "../errors.ts";
import { targetOptions } from "../fio/command.ts";
import { rbdEngineEnvironment } from "../fio/rbd-engine.ts";
import { lastWords, run } from "../host/command.ts";
import { type ImageOptions, imageInfo } from "./image.ts";
import { StallGuard } from "./stall.ts";

export interface PrefillOptions extends ImageOptions {
  /** Bytes to fill from the start; the whole image unless told. */
  size?: number;
  /** Told how many bytes of how many are written, once a second. */
  onProgress?: (done: number, total: number) => void;
}

const BLOCK = 4 * 2 ** 20;

/**
 * Fills an image with random data, so that reads find objects and neither zeros nor a compressor make them
 * cheap. It writes as the study did: fio, 4 MiB sequential writes. (`rbd bench` writes one byte over and over,
 * and reports progress as text only; it steps in for a namespace, which fio's rbd engine cannot name.)
 */
export async function prefillImage(
  client: CephClient,
  { image, size, signal, onProgress }: PrefillOptions,
): Promise<void> {
  const info = await imageInfo(client, { image, signal });
  const total = Math.min(size ?? info.size, info.size);
  const what = `filling the image ${client.spec(image)}`;
  await checkSpace(client, total, what, signal);
  using guard = new StallGuard(what, { signal });
  const progress = (done: number) => {
    guard.progress();
    onProgress?.(Math.min(done, total), total);
  };
  if (client.target.namespace === undefined) await fillWithFio(client, image, total, progress, guard.signal);
  else await fillWithRbd(client, image, total, guard.signal);
  progress(total);
}

async function fillWithFio(
  client: CephClient,
  image: string,
  size: number,
  progress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
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
    env: rbdEngineEnvironment(client),
    cwd: tmpdir(),
    anyExitCode: true,
    signal,
    timeoutMs: 2 ** 31 - 1,
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

async function fillWithRbd(
  client: CephClient,
  image: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const load = ["--io-type", "write", "--io-pattern", "seq", "--io-threads", "16"];
  const sizes = ["--io-size", `${BLOCK}B`, "--io-total", `${size}B`];
  const what = `fill the image ${client.spec(image)}`;
  await client.rbd(["bench", ...load, ...sizes, client.spec(image)], {
    signal,
    what,
    timeoutMs: 2 ** 31 - 1,
  });
}

const report = z.object({
  jobs: z.array(z.object({ error: z.int(), write: z.object({ io_bytes: z.int() }) })),
});
type Report = z.output<typeof report>;

/** Takes apart what fio prints with a status interval: one indented JSON object after another. */
class JsonDocuments {
  #text = "";

  /** The objects that are complete with this piece of text. */
  push(piece: string): unknown[] {
    this.#text += piece;
    const parts = this.#text.split(/^\}$/m);
    this.#text = parts.pop()!;
    return parts.map((part) => JSON.parse(`${part.slice(part.indexOf("{"))}}`));
  }
}

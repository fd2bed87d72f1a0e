import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../../errors.ts";
import { CpuSampler } from "../../ladder/cpu-sampler.ts";
import { shellQuote } from "../../vm/escape.ts";
import type { Engine, Load, LoadHooks, Measured } from "../engine.ts";
import { inTargetsMode } from "../modes.ts";
import type { BaselineTarget } from "../target.ts";
import { diskOf } from "./disk-of.ts";
import { type LoadRequest, runLoad } from "./load-process.ts";

/** Siphon's own client as a library, without fio: the load of `siphon rbd bench`. */
export const siphonLibrary: Engine = {
  name: "siphon",
  place: "host",
  clientCpu: "the process that puts the load on, with siphon's client in it",
  facts: [],
  obstacle: () => undefined,
  command: ({ client, image, conf }, load) => {
    const { type, pattern, size, depth, readPercent, seconds } = requestOf(load);
    const words = [
      "siphon",
      "rbd",
      "bench",
      client.spec(image),
      "--conf",
      conf.path,
      "--id",
      client.target.user,
    ];
    const asked = [
      ...["--io-type", type, "--io-pattern", pattern, "--io-size", String(size)],
      ...["--io-threads", String(depth), "--seconds", String(seconds)],
      ...(load.warmupSeconds ? ["--warmup", String(load.warmupSeconds)] : []),
      ...(readPercent === undefined ? [] : ["--rw-mix-read", String(readPercent)]),
    ];
    return [...words, ...asked].map(shellQuote).join(" ");
  },
  load: (target, load, hooks) => inTargetsMode(target, () => measure(target, load, hooks)),
};

async function measure(
  target: BaselineTarget,
  load: Load,
  { directory, file, signal, onClient }: LoadHooks,
): Promise<Measured> {
  using stack = new DisposableStack();
  const started = new Date().toISOString();
  const { size, warmupSeconds: warmup = 0 } = load;
  let [pid, sampler, cpu]: [number?, CpuSampler?, Measured["cpu"]?] = [];
  const figures = await runLoad(
    { disk: diskOf(target), load: requestOf(load), ...(size !== undefined && { size }), warmup },
    {
      signal,
      onStart: (started) => {
        pid = started;
        onClient?.(started);
      },
      onWarm: () => {
        sampler = stack.use(new CpuSampler(pid!, target.osdPids()));
      },
      onEnd: ({ seconds }) => {
        cpu = sampler?.during(seconds);
      },
    },
  );
  await writeFile(join(directory, file), `${JSON.stringify(figures, null, 2)}\n`);
  if (!cpu) {
    const what = `the CPU times of siphon's client could not be read for ${file}`;
    throw new LabError("SIPHON_PROGRAM_FAILED", what);
  }
  return { started, ...figures, cpu, fio: file };
}

/** fio's name of a load in the words of `siphon rbd bench`. A sequential load of fio is one stream. */
export function requestOf({ rw, readPercent, blockSize, ioDepth, seconds = 1 }: Load): LoadRequest["load"] {
  const type = rw === "rw" || rw === "randrw" ? "readwrite" : rw.endsWith("read") ? "read" : "write";
  return {
    ...{ type, pattern: rw.startsWith("rand") ? "rand" : "full-seq" },
    ...{ size: blockSize, depth: ioDepth, seconds },
    ...(readPercent !== undefined && { readPercent }),
  };
}

import { existsSync } from "node:fs";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { type Platform, withProgram } from "../host/platform.ts";
import type { Report } from "../step.ts";
import type { EngineChoice } from "./cells.ts";
import { guestKrbd } from "./krbd/guest.ts";
import { hostKrbd } from "./krbd/host.ts";
import { type KernelEngineName, kernelEngineNames } from "./krbd/kernel-engines.ts";
import { librbd } from "./librbd.ts";
import type { BaselineOptions } from "./options.ts";
import { siphonLibrary } from "./siphon/library.ts";
import { siphonNbd } from "./siphon/nbd.ts";

export interface Engines extends AsyncDisposable {
  all: EngineChoice[];
  /** Address on which clusters must listen so that an engine in a guest reaches them. */
  address: string | undefined;
}

/** The requested engines, in that order; unavailable ones come with the reason. */
export async function prepareEngines(
  options: BaselineOptions,
  circumstances: Circumstances,
): Promise<Engines> {
  const kernel = kernelEngineNames.filter((name) => options.engines.includes(name));
  const nbd = options.engines.includes(siphonNbd.name);
  const [found, noNbd] = await Promise.all([
    kernel.length === 0 ? noKernel : findKrbd(kernel, options, circumstances),
    nbd ? whyNoNbd(circumstances) : undefined,
  ]);
  const others = [
    librbd,
    siphonLibrary,
    noNbd === undefined ? siphonNbd : { name: siphonNbd.name, reason: noNbd },
  ];
  const all = options.engines.map(
    (name) => [...others, ...found.engines].find((each) => each.name === name)!,
  );
  return { ...found, all };
}

interface Circumstances {
  platform: Platform;
  report: Report;
  signal: AbortSignal;
}

interface KernelEngines extends AsyncDisposable {
  engines: EngineChoice[];
  address: string | undefined;
}

const noKernel: KernelEngines = { engines: [], address: undefined, [Symbol.asyncDispose]: async () => {} };

/** On this host if its kernel has RBD, otherwise in a guest. */
async function findKrbd(
  names: readonly KernelEngineName[],
  options: BaselineOptions,
  circumstances: Circumstances,
): Promise<KernelEngines> {
  const skipped = (reason: string) => ({ ...noKernel, engines: names.map((name) => ({ name, reason })) });
  if (process.getuid?.() !== 0) return skipped("kernel RBD needs root, to map an image or to make a network");
  if (await kernelHasRbd()) return { ...noKernel, engines: names.map(hostKrbd) };
  if (options.existing) {
    return skipped(
      "this host's kernel has no RBD module, and a guest of siphon's reaches only local clusters",
    );
  }
  try {
    return await guestKrbd(names, options, circumstances);
  } catch (error) {
    circumstances.signal.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return skipped(`this host's kernel has no RBD module, and a guest cannot be had: ${error.message}`);
  }
}

/** Not every distribution builds fio with libnbd. */
async function whyNoNbd({ platform, signal }: Circumstances): Promise<string | undefined> {
  const from = withProgram(platform, "fio");
  const { stdout } = await run("fio", ["--enghelp"], { from, signal, anyExitCode: true });
  return /^\s*nbd$/m.test(stdout) ? undefined : "this fio has no nbd engine";
}

async function kernelHasRbd(): Promise<boolean> {
  if (existsSync("/sys/bus/rbd")) return true;
  try {
    return (await run("modprobe", ["--dry-run", "rbd"], { anyExitCode: true })).exitCode === 0;
  } catch {
    // No modprobe: a kernel without modules.
    return false;
  }
}

import { existsSync } from "node:fs";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import type { Report } from "../step.ts";
import type { EngineChoice } from "./cells.ts";
import { guestKrbd } from "./krbd/guest.ts";
import { hostKrbd } from "./krbd/host.ts";
import { librbd } from "./librbd.ts";
import type { BaselineOptions } from "./options.ts";

export interface Engines extends AsyncDisposable {
  all: EngineChoice[];
  /** Address on which clusters must listen so that an engine in a guest reaches them. */
  address: string | undefined;
}

/** The requested engines; unavailable ones come with the reason. */
export async function prepareEngines(
  options: BaselineOptions,
  circumstances: { report: Report; signal: AbortSignal },
): Promise<Engines> {
  await using stack = new AsyncDisposableStack();
  const all: EngineChoice[] = [];
  let address: string | undefined;
  if (options.engines.includes("librbd")) all.push(librbd);
  if (options.engines.includes("krbd")) {
    const found = await findKrbd(options, circumstances);
    if ("engine" in found) {
      stack.use(found);
      address = found.address;
      all.push(found.engine);
    } else {
      all.push(found);
    }
  }
  const keep = stack.move();
  return { all, address, [Symbol.asyncDispose]: () => keep.disposeAsync() };
}

/** On this host if its kernel has RBD, otherwise in a guest. */
async function findKrbd(
  options: BaselineOptions,
  circumstances: { report: Report; signal: AbortSignal },
): Promise<EngineChoice | Awaited<ReturnType<typeof guestKrbd>>> {
  const skipped = (reason: string) => ({ name: "krbd", reason }) as const;
  if (process.getuid?.() !== 0) return skipped("kernel RBD needs root, to map an image or to make a network");
  if (await kernelHasRbd()) return hostKrbd;
  if (options.existing) {
    return skipped(
      "this host's kernel has no RBD module, and a guest of siphon's reaches only local clusters",
    );
  }
  try {
    return await guestKrbd(options, circumstances);
  } catch (error) {
    circumstances.signal.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return skipped(`this host's kernel has no RBD module, and a guest cannot be had: ${error.message}`);
  }
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

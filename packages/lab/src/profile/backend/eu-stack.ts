import { median } from "simple-statistics";
import { LabError } from "../../errors.ts";
import { lastWords, run } from "../../host/command.ts";
import { OnCpu } from "../on-cpu.ts";
import { readMaps } from "../symbols/maps.ts";
import { Symbols } from "../symbols/symbols.ts";
import { Tally } from "../tally.ts";
import type { Backend, Collected, CollectOptions, ProfileTarget } from "./backend.ts";
import { denied } from "./denied.ts";
import { sampleRounds } from "./rounds.ts";

/**
 * elfutils' eu-stack, started for each sample. It stops one thread at a time while it walks its stack (much less than a
 * millisecond), never the whole process. It only collects addresses, which takes milliseconds; names are looked up once
 * after sampling.
 */
export const euStack: Backend = {
  name: "eu-stack",
  programs: ["eu-stack", "eu-addr2line"],
  stops: true,
  collect,
};

async function collect(target: ProfileTarget, options: CollectOptions): Promise<Collected> {
  const { id, watch, work } = target;
  const addresses = new Tally();
  using onCpu = new OnCpu(id.pid);
  let maps = "";
  let stacksSeen = 0;
  const rounds = await sampleRounds(id, options, async () => {
    // Libraries are loaded (dlopen) and unloaded: the last readable map is the most complete.
    maps = readMaps(id.pid) ?? maps;
    const states = watch.read();
    const stacks = await stacksOf(id.pid, work.environment);
    stacksSeen += stacks.size;
    for (const [tid, frames] of stacks) {
      onCpu.note(frames[0]);
      const thread = states.get(tid);
      if (thread) addresses.add(thread.name, frames.toReversed(), 1, thread.running ? 1 : 0);
    }
  });
  const spent = rounds.sampleMs.length > 0 ? median(rounds.sampleMs) : 0;
  const stopMs = (spent * rounds.rounds) / Math.max(stacksSeen, 1);
  const stacks = async () => {
    const symbols = new Symbols(maps, id.pid);
    await symbols.lookUp(addresses, work);
    return { tally: named(addresses, symbols, onCpu), unnamed: symbols.unnamed(addresses) };
  };
  return { ...rounds, stopMs, attachMs: 0, stacks };
}

/** The samples with functions instead of addresses. */
function named(addresses: Tally, symbols: Symbols, onCpu: OnCpu): Tally {
  const tally = new Tally();
  for (const { name, stacks } of addresses.groups()) {
    for (const { frames, samples, running } of stacks) {
      const names = frames.flatMap((address) => symbols.names(address));
      tally.add(name, names, samples, onCpu.count(samples, running, frames.at(-1)!, names.at(-1)!));
    }
  }
  return tally;
}

/** The stack of every thread, innermost first: addresses in hexadecimal that lie inside the calling instruction. */
async function stacksOf(pid: number, environment: Record<string, string>): Promise<Map<number, string[]>> {
  const result = await run("eu-stack", ["--quiet", "--activation", "-p", `${pid}`], {
    // Never fetch debug files from a server while a thread is stopped.
    env: { ...environment, DEBUGINFOD_URLS: "" },
    anyExitCode: true,
    timeoutMs: 30_000,
  });
  const stacks = parseEuStack(result.stdout);
  // Exit code 1: some stacks could not be unwound completely, because of code without unwind tables.
  if (result.exitCode <= 1 || stacks.size > 0) return stacks;
  if (/Permission denied|Operation not permitted/.test(result.stderr)) throw denied(pid, result.stderr);
  throw new LabError(
    "SIPHON_PROGRAM_FAILED",
    `eu-stack cannot read the stacks of process ${pid}: ${lastWords(result)}`,
  );
}

/**
 *     TID 27913:
 *     #0  0x00007ff3ea8ed545
 *     #1  0x00007ff3ea8f1e53 - 1
 *
 * "- 1" marks a return address: the call is the instruction before it.
 */
export function parseEuStack(text: string): Map<number, string[]> {
  const stacks = new Map<number, string[]>();
  let frames: string[] = [];
  for (const line of text.split("\n")) {
    const thread = /^TID (\d+):/.exec(line);
    if (thread) {
      frames = [];
      stacks.set(Number(thread[1]), frames);
    }
    const frame = /^#\d+\s+0x([0-9a-f]+)(\s+- 1)?/.exec(line);
    if (frame) frames.push((BigInt(`0x${frame[1]}`) - (frame[2] ? 1n : 0n)).toString(16));
  }
  for (const [tid, stack] of stacks) if (stack.length === 0) stacks.delete(tid);
  return stacks;
}

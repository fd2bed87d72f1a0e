import { writeFile } from "node:fs/promises";
import { run } from "../../host/command.ts";
import type { Resource } from "../../state/resource.ts";
import type { Tally } from "../tally.ts";
import { parseMaps, type Region, regionOf } from "./maps.ts";
import { functionName, placeName } from "./names.ts";
import { readPerfMap } from "./perf-map.ts";

/** Names for the addresses of one process, even after it has ended. */
export class Symbols {
  readonly #maps: string;
  readonly #regions: Region[];
  readonly #generated: (address: bigint) => string | undefined;
  /** By address; outermost first, several for inlined functions, empty without a name. */
  readonly #names = new Map<string, string[]>();

  /** @param maps /proc/PID/maps from the time of sampling */
  constructor(maps: string, pid: number) {
    this.#maps = maps;
    this.#regions = parseMaps(maps);
    this.#generated = readPerfMap(pid);
  }

  /** Looks up all addresses of a tally with elfutils, which downloads debug files if DEBUGINFOD_URLS is set. */
  async lookUp(tally: Tally, work: Resource): Promise<void> {
    const addresses = new Set(tally.groups().flatMap(({ stacks }) => stacks.flatMap(({ frames }) => frames)));
    if (addresses.size === 0) return;
    const maps = work.path("maps");
    await writeFile(maps, this.#maps);
    const args = ["--linux-process-map", maps, "--functions", "--demangle", "--inlines", "--addresses"];
    const { stdout } = await run("eu-addr2line", args, {
      env: work.environment,
      input: [...addresses].map((address) => `0x${address}\n`).join(""),
      anyExitCode: true, // 1 if an address is unknown
      timeoutMs: 600_000,
    });
    for (const [address, names] of parseAddr2line(stdout)) this.#names.set(address, names);
  }

  /** The functions at an address, outermost first. */
  names(address: string): string[] {
    const names = this.#names.get(address);
    return names && names.length > 0 ? names : [this.place(address)];
  }

  /** Label for an address without a symbol. */
  place(address: string): string {
    const number = BigInt(`0x${address}`);
    const region = regionOf(this.#regions, number);
    return this.#generated(number) ?? (region ? placeName(region.path) : "[unknown]");
  }

  /** The program or library of an address. */
  file(address: string): string | undefined {
    const path = regionOf(this.#regions, BigInt(`0x${address}`))?.path;
    return path?.startsWith("/") ? path : undefined;
  }

  /** Samples of frames without a name, by file. */
  unnamed(tally: Tally): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { frames, samples } of tally.groups().flatMap(({ stacks }) => stacks)) {
      for (const address of frames) {
        const file = this.file(address);
        if (file === undefined || (this.#names.get(address)?.length ?? 0) > 0) continue;
        counts.set(file, (counts.get(file) ?? 0) + samples);
      }
    }
    return counts;
  }
}

/**
 *     0x00007ff3ea8a3f16            the address, then for every function there, innermost first,
 *     __futex_abstimed_wait_common  its name (`??` when not known)
 *     futex-internal.c:57           and its line
 */
export function parseAddr2line(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const lines = text.split("\n");
  for (let at = 0; at < lines.length - 1; ) {
    const address = BigInt(lines[at++]).toString(16);
    const names: string[] = [];
    while (at < lines.length - 1 && !/^0x[0-9a-f]{8,16}$/.test(lines[at])) {
      // "name inlined at file:line in function": the function's own lines follow.
      const name = lines[at].replace(/ inlined at .*$/, "");
      if (name !== "??") names.push(functionName(name));
      at += 2;
    }
    // Two aliases of one function, as in the C library, count as one.
    found.set(address, names.filter((name, index) => name !== names[index - 1]).toReversed());
  }
  return found;
}

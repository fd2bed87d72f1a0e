import { which } from "../host/command.ts";
import { machine } from "../host/machine.ts";
import { interleave } from "../load/schedule.ts";
import { estimateMedian } from "../statistics/estimate.ts";
import type { StepRunner } from "../step.ts";
import { nodeSpeed } from "./node.ts";
import { opensslSpeed, opensslVersion } from "./openssl.ts";
import { blockSizes, type CryptoResults, type Direction, type SourceName, sources } from "./results.ts";

export interface CryptoOptions {
  /** Whole CPU seconds of each measurement by openssl; Node's take a quarter. */
  seconds: number;
  rounds: number;
  seed: number;
}

export interface CryptoHooks {
  step: StepRunner;
  signal: AbortSignal;
}

/** One thing to measure; Node's give both directions at once. */
interface Cell {
  source: SourceName;
  direction: Direction | "both";
  size: number;
}

/**
 * Measures AES-128-GCM at the study's block sizes, by openssl and in this process. Every round visits all in a new
 * random order, so that disturbances affect all alike. An abort ends it with the rounds so far; before the end of the
 * first round it throws the signal's reason.
 */
export async function measureCrypto(options: CryptoOptions, hooks: CryptoHooks): Promise<CryptoResults> {
  const { rounds, seconds, seed } = options;
  const { step, signal } = hooks;
  const started = new Date().toISOString();
  const { cells, skipped } = await plan();
  const schedule = interleave(cells, rounds, seed);
  const figures = new Figures();
  let complete = true;
  for (let round = 0; round < rounds && complete; round++) {
    const turns = schedule.filter(({ repeat }) => repeat === round);
    complete = await step(`Round ${round + 1} of ${rounds}`, async (report) => {
      const fresh = new Figures();
      try {
        for (const [index, { item }] of turns.entries()) {
          report(`${index + 1} of ${turns.length}: ${sources[item.source].title}, ${item.size} bytes`);
          await measure(item, seconds, fresh, signal);
        }
      } catch (error) {
        if (!signal.aborted || round === 0) throw error;
        return false;
      }
      figures.take(fresh);
      return true;
    });
  }
  const { cpu, kernel } = machine();
  return {
    schema: 1,
    started,
    finished: new Date().toISOString(),
    complete,
    ...options,
    facts: [
      { name: "Processor", value: cpu },
      { name: "Kernel", value: kernel },
      { name: "openssl", value: (await opensslVersion()) ?? "none" },
      { name: "Node", value: `${process.versions.node} with OpenSSL ${process.versions.openssl}` },
    ],
    series: figures.series(),
    skipped,
  };
}

async function plan(): Promise<{ cells: Cell[]; skipped: CryptoResults["skipped"] }> {
  const skipped: CryptoResults["skipped"] = [];
  const cells: Cell[] = [];
  if (await which("openssl")) {
    const directions = ["decrypt", "encrypt"] as const;
    cells.push(
      ...directions.flatMap((direction) =>
        blockSizes.map((size) => ({ source: "openssl" as const, direction, size })),
      ),
    );
  } else {
    skipped.push({ source: "openssl", reason: "the program openssl is not installed" });
  }
  for (const source of ["evp", "node"] as const) {
    try {
      // Also warms up the compiler before the first figure.
      for (const size of blockSizes) await nodeSpeed({ fill: source, size, seconds: 0.02 });
      cells.push(...blockSizes.map((size) => ({ source, direction: "both" as const, size })));
    } catch (error) {
      skipped.push({ source, reason: (error as Error).message });
    }
  }
  return { cells, skipped };
}

async function measure(
  { source, direction, size }: Cell,
  seconds: number,
  figures: Figures,
  signal: AbortSignal,
): Promise<void> {
  if (source === "openssl" && direction !== "both") {
    figures.add(source, direction, size, await opensslSpeed({ direction, size, seconds, signal }));
  } else if (source !== "openssl") {
    const { encrypt, decrypt } = await nodeSpeed({ fill: source, size, seconds: seconds / 4, signal });
    figures.add(source, "encrypt", size, encrypt);
    figures.add(source, "decrypt", size, decrypt);
  }
}

/** The rounds' figures by source, direction and size. */
class Figures {
  readonly #runs = new Map<
    string,
    { source: SourceName; direction: Direction; size: number; runs: number[] }
  >();

  add(source: SourceName, direction: Direction, size: number, ...speeds: number[]): void {
    const key = `${source} ${direction} ${size}`;
    const known = this.#runs.get(key) ?? { source, direction, size, runs: [] };
    known.runs.push(...speeds);
    this.#runs.set(key, known);
  }

  take(others: Figures): void {
    for (const { source, direction, size, runs } of others.#runs.values()) {
      this.add(source, direction, size, ...runs);
    }
  }

  series(): CryptoResults["series"] {
    const all = [...this.#runs.values()].toSorted((a, b) => a.size - b.size);
    return (["openssl", "evp", "node"] as const).flatMap((source) =>
      (["decrypt", "encrypt"] as const).flatMap((direction) => {
        const speeds = all
          .filter((each) => each.source === source && each.direction === direction)
          .map(({ size, runs }) => ({ size, speed: estimateMedian(runs), runs }));
        return speeds.length > 0 ? [{ source, direction, speeds }] : [];
      }),
    );
  }
}

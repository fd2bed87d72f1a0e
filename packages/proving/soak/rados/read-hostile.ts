import { SiphonError } from "@siphon/wire";
import type { HostileInput } from "./decoders.ts";
import { type Mutation, mutated } from "./mutations.ts";

/** Memory that reading one damaged input may take in addition to the input: far more than any needs. */
const allowedBytes = 64 * 1024 * 1024;
const allowedMilliseconds = 20_000;

/** The result of one damaged input. */
export type Outcome = "read" | "refused";

/**
 * Damages a seed and reads it.
 *
 * @throws Error with the reason: an error other than SiphonError, too much memory or time
 */
export function readDamaged(
  input: HostileInput,
  seed: number,
  mutations: readonly Mutation[],
  repaired: boolean,
): Outcome {
  const bytes = mutated(input.seeds[seed % input.seeds.length]!, mutations);
  if (repaired) input.repair?.(bytes);
  const memory = process.memoryUsage().arrayBuffers;
  const started = performance.now();
  const outcome = attempt(input, bytes);
  const milliseconds = performance.now() - started;
  const grown = process.memoryUsage().arrayBuffers - memory;
  if (grown > allowedBytes)
    throw new Error(`${input.name}: ${bytes.length} bytes took ${grown} bytes of memory`);
  if (milliseconds > allowedMilliseconds) throw new Error(`${input.name}: took ${milliseconds} ms`);
  return outcome;
}

function attempt(input: HostileInput, bytes: Buffer): Outcome {
  try {
    input.read(bytes);
    return "read";
  } catch (error) {
    if (error instanceof SiphonError) return "refused";
    throw new Error(`${input.name}: ${bytes.toString("hex").slice(0, 4000)}`, { cause: error });
  }
}

import type { CryptoResults, Direction, SourceName } from "../../src/crypto/results.ts";
import { blockSizes } from "../../src/crypto/results.ts";
import { estimateMedian } from "../../src/statistics/estimate.ts";

/** Bytes a second at 16 KiB, and nanoseconds that a block costs besides. */
const shapes: Record<SourceName, { rate: number; each: number }> = {
  openssl: { rate: 4.2e9, each: 300 },
  evp: { rate: 9e9, each: 350 },
  node: { rate: 4e9, each: 3500 },
};

/** Results as of a machine with a newer OpenSSL inside Node than in the system. */
export function exampleCrypto(change: Partial<CryptoResults> = {}): CryptoResults {
  const series = (["openssl", "evp", "node"] as const).flatMap((source) =>
    (["decrypt", "encrypt"] as const).map((direction) => exampleSeries(source, direction)),
  );
  return {
    schema: 1,
    started: "2026-03-14T09:26:53.589Z",
    finished: "2026-03-14T09:28:10.000Z",
    complete: true,
    rounds: 5,
    seconds: 1,
    seed: 7,
    facts: [{ name: "Processor", value: "AMD EPYC" }],
    series,
    skipped: [],
    ...change,
  };
}

function exampleSeries(source: SourceName, direction: Direction) {
  const { rate, each } = shapes[source];
  const speeds = blockSizes.map((size) => {
    const speed = size / (size / rate + each / 1e9);
    const runs = [0.98, 0.99, 1, 1.01, 1.02].map((factor) => speed * factor);
    return { size, speed: estimateMedian(runs), runs };
  });
  return { source, direction, speeds };
}

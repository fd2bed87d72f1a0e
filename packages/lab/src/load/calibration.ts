import { numericSort, quantileSorted } from "simple-statistics";

/** Words that are touched: 1 MiB, more than the processor keeps closest to itself. */
const words = new Uint32Array(2 ** 18).map((_, index) => index);
const STEPS = 400_000;
const TIMES = 12;

/**
 * Microseconds that a fixed piece of work takes a processor at this moment. It differs with the clock's frequency, with what shares the
 * processor's caches, and with the neighbours of a virtual machine. The work is done several times, and the quicker ones count: what
 * had to wait for a processor took longer.
 */
export function calibrate(): number {
  const took = Array.from({ length: TIMES }, () => {
    const before = performance.now();
    work();
    return (performance.now() - before) * 1000;
  });
  return quantileSorted(numericSort(took), 0.25);
}

/** Linear congruential steps, each to a word of the last one's choice. */
function work(): void {
  let place = 1;
  for (let step = 0; step < STEPS; step++) {
    place = (Math.imul(place, 1664525) + 1013904223 + words[place >>> 14]!) >>> 0;
    words[place >>> 14] = place;
  }
}

// Compiled before it counts.
for (let round = 0; round < 5; round++) work();

import { numericSort, quantileSorted } from "simple-statistics";

/** Words that are read: 1 MiB, more than the processor keeps closest to itself. */
const words = new Uint32Array(2 ** 18).map((_, index) => index);
/** Some fifty microseconds: on a busy machine whatever takes longer is interrupted. */
const STEPS = 10_000;
const TIMES = 80;

/**
 * Microseconds that a fixed piece of work takes a processor at this moment. It differs with the clock's frequency, with what shares the
 * processor's caches, and with the neighbours of a virtual machine. The work is done several times, and the quicker ones count: what
 * had to wait for a processor took longer.
 */
export function calibrate(): number {
  const took = Array.from({ length: TIMES }, () => {
    const before = performance.now();
    const end = work();
    return end === END ? (performance.now() - before) * 1000 : Number.NaN;
  });
  return quantileSorted(numericSort(took), 0.25);
}

/** Linear congruential steps, each by a word of the last one's choice. Nothing is changed, so that it is the same work every time. */
function work(): number {
  let place = 1;
  for (let step = 0; step < STEPS; step++) {
    place = (Math.imul(place, 1664525) + 1013904223 + words[place >>> 14]!) >>> 0;
  }
  return place;
}

/** Where they end, so that they are not left out as useless. */
const END = work();

// Compiled before it counts.
for (let round = 0; round < 50; round++) work();

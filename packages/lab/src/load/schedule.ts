import { seededRandom } from "../statistics/random.ts";

/** One planned run: an item and the number of its repeat. */
export interface Scheduled<T> {
  item: T;
  repeat: number;
}

/**
 * Every item once per repeat, in a new random order for each repeat: drift affects all items alike, and figures of one
 * repeat are close in time and can be paired.
 */
export function interleave<T>(items: readonly T[], repeats: number, seed: number): Scheduled<T>[] {
  const random = seededRandom(seed);
  return Array.from({ length: repeats }, (_, repeat) =>
    shuffle(items, random).map((item) => ({ item, repeat })),
  ).flat();
}

/** Fisher and Yates. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
  }
  return shuffled;
}

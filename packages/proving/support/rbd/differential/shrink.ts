import type { Step } from "./steps.ts";

/**
 * Removes steps as long as the remaining ones still fail: halves, then quarters and so on.
 *
 * @param fails runs steps and returns whether they fail
 * @param tries maximum number of runs
 */
export async function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
  tries: number,
): Promise<readonly Step[]> {
  let least = steps;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < least.length - 1 && tries > 0; ) {
      const rest = [...least.slice(0, at), ...least.slice(at + size)];
      tries--;
      if (await fails(rest)) least = rest;
      else at += size;
    }
  }
  return least;
}

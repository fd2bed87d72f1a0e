import type { Step } from "./steps.ts";

/**
 * Leaves out steps as long as the rest still fails: halves, quarters and so on.
 *
 * @param fails runs steps again
 * @param tries at most this many runs
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

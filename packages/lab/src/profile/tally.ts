import type { ProfileGroup, ProfileStack } from "./profile.ts";

/** Counts samples by thread name and stack. */
export class Tally {
  readonly #groups = new Map<string, Map<string, ProfileStack>>();

  /** `frames` are outermost first; `running` of the samples were on a CPU. */
  add(thread: string, frames: readonly string[], samples: number, running: number): void {
    let stacks = this.#groups.get(thread);
    if (!stacks) {
      stacks = new Map();
      this.#groups.set(thread, stacks);
    }
    const key = frames.join("\n");
    let stack = stacks.get(key);
    if (!stack) {
      stack = { frames: [...frames], samples: 0, running: 0 };
      stacks.set(key, stack);
    }
    stack.samples += samples;
    stack.running += running;
  }

  /** The groups, those with the most CPU samples first; in each, the most frequent stack first. */
  groups(): ProfileGroup[] {
    return [...this.#groups]
      .map(([name, byKey]) => {
        const stacks = [...byKey.values()].toSorted((a, b) => b.samples - a.samples);
        const sum = (figure: "samples" | "running") =>
          stacks.reduce((total, stack) => total + stack[figure], 0);
        return { name, samples: sum("samples"), running: sum("running"), stacks };
      })
      .toSorted((a, b) => b.running - a.running || a.name.localeCompare(b.name));
  }
}

import type { ProfileStack } from "../profile.ts";

/** A function and its children: the functions that it called, or in an inverse tree its callers. */
export interface CallNode {
  name: string;
  samples: number;
  running: number;
  /** The most frequent first. */
  children: CallNode[];
}

/**
 * `forward`: from the start of threads to the sampled function. `inverse`: from the sampled function to its callers.
 */
export type Direction = "forward" | "inverse";

/** Merges stacks into a tree; the root represents all of them. */
export function callTree(stacks: readonly ProfileStack[], direction: Direction): CallNode {
  const root = new Node("all");
  for (const { frames, samples, running } of stacks) {
    let node = root;
    node.add(samples, running);
    for (const name of direction === "forward" ? frames : frames.toReversed()) {
      node = node.child(name);
      node.add(samples, running);
    }
  }
  return root.finished();
}

class Node {
  readonly #name: string;
  #samples = 0;
  #running = 0;
  readonly #children = new Map<string, Node>();

  constructor(name: string) {
    this.#name = name;
  }

  add(samples: number, running: number): void {
    this.#samples += samples;
    this.#running += running;
  }

  child(name: string): Node {
    let child = this.#children.get(name);
    if (!child) {
      child = new Node(name);
      this.#children.set(name, child);
    }
    return child;
  }

  finished(): CallNode {
    const children = [...this.#children.values()].map((child) => child.finished());
    return {
      name: this.#name,
      samples: this.#samples,
      running: this.#running,
      children: children.toSorted((a, b) => b.samples - a.samples || a.name.localeCompare(b.name)),
    };
  }
}

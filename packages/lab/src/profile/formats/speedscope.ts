import type { Profile } from "../profile.ts";

/** A file for speedscope.app, one profile per thread name. Source: speedscope.app/file-format-schema.json. */
export interface SpeedscopeFile {
  $schema: "https://www.speedscope.app/file-format-schema.json";
  name: string;
  exporter: string;
  activeProfileIndex: number;
  shared: { frames: { name: string }[] };
  profiles: {
    type: "sampled";
    name: string;
    unit: "milliseconds";
    startValue: number;
    endValue: number;
    /** Indices of frames, the outermost first. */
    samples: number[][];
    weights: number[];
  }[];
}

/** Equal stacks are merged into one sample: use "left heavy" and "sandwich"; "time order" has no meaning. */
export function speedscope({ process, groups, intervalMs, seconds, rounds }: Profile): SpeedscopeFile {
  const indices = new Map<string, number>();
  const indexOf = (name: string) => {
    const index = indices.get(name) ?? indices.size;
    indices.set(name, index);
    return index;
  };
  const msPerSample = rounds > 0 ? (seconds * 1000) / rounds : intervalMs;
  const profiles = groups.map(({ name, samples, stacks }) => ({
    type: "sampled" as const,
    name,
    unit: "milliseconds" as const,
    startValue: 0,
    endValue: samples * msPerSample,
    samples: stacks.map(({ frames }) => frames.map(indexOf)),
    weights: stacks.map((stack) => stack.samples * msPerSample),
  }));
  return {
    $schema: "https://www.speedscope.app/file-format-schema.json",
    name: `${process.name} (${process.pid}), wallclock`,
    exporter: "siphon",
    activeProfileIndex: 0,
    shared: { frames: [...indices.keys()].map((name) => ({ name })) },
    profiles,
  };
}

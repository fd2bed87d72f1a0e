import type { Profile } from "../profile.ts";

/** Folded stacks for flame graph programs: `thread;outermost;...;innermost SAMPLES`. */
export function foldedStacks({ groups }: Profile): string {
  const clean = (name: string) => name.replaceAll(";", ":").replaceAll("\n", " ");
  return groups
    .flatMap(({ name, stacks }) =>
      stacks.map(({ frames, samples }) => `${[name, ...frames].map(clean).join(";")} ${samples}\n`),
    )
    .join("");
}

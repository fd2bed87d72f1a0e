import type { Profile } from "../profile.ts";

/** Folded stacks, as flame graph programs read them: `thread;outermost;...;innermost SAMPLES`. */
export function foldedStacks({ groups }: Profile): string {
  const clean = (name: string) => name.replaceAll(";", ":").replaceAll("\n", " ");
  return groups
    .flatMap(({ name, stacks }) =>
      stacks.map(({ frames, samples }) => `${[name, ...frames].map(clean).join(";")} ${samples}\n`),
    )
    .join("");
}

import type { Finding } from "./campaign.ts";

/** A finding as text: the parts in which the results of a command line differ, and both outputs. */
export function describe({ line, parts, ours, theirs }: Finding): string {
  const shown = (text: string) => text.trimEnd().split("\n").slice(0, 6).join("\n    ");
  const sides = Object.entries({ siphon: ours, rbd: theirs }).map(([who, { code, stdout, stderr }]) => {
    const out = parts.includes("stdout") ? `\n    ${shown(stdout)}` : "";
    return `  ${who}: ${code}${out}\n    ${shown(stderr)}`;
  });
  return [`${line}\n  differs in ${parts.join(", ")}`, ...sides].join("\n");
}

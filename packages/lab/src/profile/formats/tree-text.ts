import type { Profile, ProfileGroup } from "../profile.ts";
import { type CallNode, callTree, type Direction } from "./call-tree.ts";

/** Percent of a thread's samples below which a function is left out. */
const least = 0.5;

/**
 * A profile as text, a call tree for each thread name. Percentages refer to the samples of that name, as in wallclock
 * profilers such as uwpmp, which the study quotes.
 *
 *     + 14.00% _aesni_ctr32_ghash_6x
 *     |+ 14.00% aesni_gcm_decrypt
 *     | + 14.00% aes_gcm_cipher
 */
export function treeText({ groups, threads }: Profile, direction: Direction): string {
  const title =
    direction === "forward" ? "Callers above the functions they call" : "Functions above their callers";
  const parts = groups.map((group) => {
    const members = threads.filter(({ name }) => name === group.name);
    const busy = members.map((thread) => `${Math.round(thread.busy)} %`).join(", ");
    const head = `${group.name}: ${group.samples} samples, ${group.running} of them on a CPU (${busy} of a core)`;
    return `${head}\n\n${lines(group, direction).join("\n")}\n`;
  });
  return `${title}; percent of the samples of each thread name.\n\n${parts.join("\n")}`;
}

function lines(group: ProfileGroup, direction: Direction): string[] {
  const { samples: total, children } = callTree(group.stacks, direction);
  const result: string[] = [];
  const walk = (nodes: CallNode[], prefix: string) => {
    const shown = nodes.filter(({ samples }) => (samples / total) * 100 >= least);
    for (const [index, { name, samples, children }] of shown.entries()) {
      result.push(`${prefix}+ ${((samples / total) * 100).toFixed(2)}% ${name}`);
      walk(children, prefix + (index < shown.length - 1 ? "|" : " "));
    }
  };
  walk(children, "");
  return result;
}

import type { Worth } from "@siphon/doctor";
import { readResults } from "../results/file.ts";

/**
 * Worth of each rung of a ladder against the one before it: for the findings that it measures.
 *
 * @param path results.json, or its directory
 * @throws LabError as readResults() does
 */
export async function worthOfRungs(path: string): Promise<ReadonlyMap<string, Worth>> {
  const { rungs, started } = await readResults(path);
  const worth = new Map<string, Worth>();
  for (const rung of rungs) {
    if (rung.status !== "measured" || rung.comparison === undefined) continue;
    const { ratio, verdict } = rung.comparison;
    worth.set(rung.name, {
      text: `${verdict}, x${ratio.median.toFixed(2)} against ${rung.comparison.against}`,
      source: `your own ladder of ${started.slice(0, 10)}`,
      interval: [ratio.low, ratio.high],
      ...(verdict === "faster" && { factor: ratio.median }),
    });
  }
  return worth;
}

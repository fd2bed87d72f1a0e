import type { Cluster } from "@siphon/rados";

/** Who is on the blocklist. The monitors print one list of addresses and one of ranges, with nothing between them: `[][]`. */
export async function blocklisted(cluster: Cluster): Promise<unknown[]> {
  const { output } = await cluster.run({ prefix: "osd blocklist ls", format: "json" });
  const lists: unknown[][] = JSON.parse(`[${output.toString().replaceAll(/\]\s*\[/g, "],[")}]`);
  return lists.flat();
}

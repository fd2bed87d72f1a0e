import type { Cluster } from "@siphon/rados";

/** Who is on the blocklist. The monitors put words behind the JSON: "[]listed 0 entries". */
export async function blocklisted(cluster: Cluster): Promise<unknown[]> {
  const { output } = await cluster.run({ prefix: "osd blocklist ls", format: "json" });
  const text = output.toString();
  return JSON.parse(text.slice(0, text.lastIndexOf("]") + 1));
}

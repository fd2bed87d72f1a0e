/**
 * The monitors in a `mon_host`, one entry each: `a,b`, `a;b`, `a b`, and `[v2:a:3300,v1:a:6789]`, which is one monitor with two
 * addresses. A host that occurs twice is one monitor.
 */
export function monitorsOf(text: string): string[] {
  const hosts = new Set<string>();
  for (const entry of text.match(
    /\[(?:v\d|any):[^\]]*\]?[^\s,;]*|\[[0-9a-fA-F:.%]+\](?::\d+)?(?:\/\d+)?|[^\s,;]+/g,
  ) ?? []) {
    const host = hostOf(entry);
    if (host !== "") hosts.add(host);
  }
  return [...hosts];
}

/** The host of an address, without protocol, port and nonce. */
function hostOf(entry: string): string {
  const first = entry.startsWith("[v") || entry.startsWith("[any") ? entry.slice(1).split(",")[0]! : entry;
  const address = first.replace(/^(v\d|any):/, "").replace(/\]?$/, (end) => (first.includes("[") ? end : ""));
  const bracketed = /\[([^\]]+)\]/.exec(address)?.[1];
  if (bracketed !== undefined) return bracketed.toLowerCase();
  const plain = address.replace(/\/\d+$/, "");
  const colons = plain.split(":").length - 1;
  return (colons === 1 ? plain.slice(0, plain.indexOf(":")) : plain).toLowerCase();
}

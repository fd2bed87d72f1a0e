const tier = "it is for tiered pools; use rados";

/** Verbs of rados that siphon does not have, with what to do instead. */
export const refused: ReadonlyMap<string, string> = new Map([
  ["load-gen", "measure with bench; or use rados"],
  [
    "list-inconsistent-obj",
    "siphon rados list-inconsistent-pg has the placement groups; for objects use rados",
  ],
  ["list-inconsistent-snapset", "siphon rados list-inconsistent-pg has the placement groups; use rados"],
  ...[
    ...["cache-flush", "cache-try-flush", "cache-evict", "cache-flush-evict-all"],
    ...["cache-try-flush-evict-all", "tier-promote", "tier-flush", "tier-evict"],
    ...["set-redirect", "set-chunk", "unset-manifest"],
  ].map((verb) => [verb, tier] as const),
]);

/** Options of rados that siphon does not have, with what to do instead. */
export const refusedOptions: ReadonlyMap<string, string> = new Map([
  ["--striper", "it is for objects that libradosstriper parted; use rados"],
  ["--pgid", "siphon ceph pg ls-by-pool tells of placement groups; for the objects of one use rados"],
  ["--with-clones", tier],
  ["--with-reference", tier],
  ...["--show-time", "--reuse-bench", "--write-object", "--write-omap", "--write-xattr"].map(
    (option) => [option, "bench measures whole objects; for others use rados"] as const,
  ),
]);

const tier = "it is for tiered pools; use rados";

/** Verbs of rados that siphon does not have, with what to do instead. */
export const refused: ReadonlyMap<string, string> = new Map([
  ["lock", "images are locked with siphon rbd lock; for other objects use rados"],
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

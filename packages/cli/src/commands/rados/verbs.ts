import { attributeVerbs } from "./attributes.ts";
import { benchVerbs } from "./bench.ts";
import type { RadosVerb } from "./call.ts";
import { dumpVerbs } from "./dump.ts";
import { lockVerbs } from "./locks.ts";
import { objectVerbs } from "./objects.ts";
import { poolVerbs } from "./pools.ts";
import { snapshotVerbs } from "./snapshots.ts";
import { transferVerbs } from "./transfer.ts";
import { watchVerbs } from "./watching.ts";

export const verbs: readonly RadosVerb[] = [
  ...poolVerbs,
  ...objectVerbs,
  ...transferVerbs,
  ...attributeVerbs,
  ...snapshotVerbs,
  ...dumpVerbs,
  ...watchVerbs,
  ...lockVerbs,
  ...benchVerbs,
];

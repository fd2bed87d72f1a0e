import type { Random } from "./random.ts";

/** A generated CRUSH map in the text that `crushtool -c` compiles. */
export interface CrushText {
  text: string;
  devices: number;
  rules: number;
  /** Rules of erasure-coded pools; the others are for replicated ones. */
  erasureRules: number[];
}

/** Map shapes from one device to two thousand; what else a map has is drawn from the seed. */
export const shapes = [
  { devices: 1, hosts: 1, racks: 0 },
  { devices: 3, hosts: 3, racks: 0 },
  { devices: 12, hosts: 4, racks: 0 },
  { devices: 40, hosts: 10, racks: 3 },
  { devices: 120, hosts: 24, racks: 6 },
  { devices: 360, hosts: 30, racks: 5 },
  { devices: 2000, hosts: 100, racks: 10 },
] as const;
export type Shape = (typeof shapes)[number];

type Algorithm = "uniform" | "list" | "tree" | "straw" | "straw2";

interface Bucket {
  id: number;
  type: string;
  name: string;
  algorithm: Algorithm;
  items: { name: string; weight: number }[];
}

/**
 * @param algorithm of every bucket; undefined: each bucket its own
 * @param chooseArgsPool pool to make weight sets and replacement ids for, where buckets are straw2
 */
export function crushText(
  random: Random,
  shape: Shape,
  algorithm: Algorithm | undefined,
  chooseArgsPool?: number,
): CrushText {
  // crushtool cannot build the shadow of a uniform bucket whose items have unequal weights in a class, and in a
  // tree without any weight (a shadow without devices) Ceph reads items from beyond its end.
  const flexible = algorithm === "list" || algorithm === "straw" || algorithm === "straw2";
  const classes = shape.devices > 1 && flexible && random.chance(0.5);
  const buckets = hierarchy(random, shape, algorithm, flexible);
  const rules = ruleBodies(random, shape, classes);
  const text = [
    ...tunables(random),
    ...Array.from({ length: shape.devices }, (_, id) => {
      const deviceClass = classes ? ` class ${id % 3 === 0 ? "ssd" : "hdd"}` : "";
      return `device ${id} osd.${id}${deviceClass}`;
    }),
    ...["osd", "host", "rack", "root"].map((type, number) => `type ${number} ${type}`),
    ...buckets.flatMap(bucketText),
    ...rules.flatMap((body, id) => [
      `rule rule${id} {`,
      ` id ${id}`,
      ` type ${isErasure(body) ? "erasure" : "replicated"}`,
      " min_size 1",
      ` max_size ${id === 1 ? 4 : 20}`,
      ...body.map((step) => ` step ${step}`),
      "}",
    ]),
    ...(chooseArgsPool === undefined ? [] : chooseArgsText(random, buckets, chooseArgsPool)),
  ].join("\n");
  const erasureRules = [...rules.keys()].filter((id) => isErasure(rules[id]!));
  return { text: `${text}\n`, devices: shape.devices, rules: rules.length, erasureRules };
}

function isErasure(rule: readonly string[]): boolean {
  return rule.some((step) => step.includes("indep"));
}

function tunables(random: Random): string[] {
  const profiles = [
    [2, 5, 19, 0, 0, 0],
    [0, 0, 50, 1, 0, 0],
    [0, 0, 50, 1, 1, 0],
    [0, 0, 50, 1, 1, 1],
    [0, 0, 50, 1, 1, 1],
    [
      random.below(4),
      random.below(6),
      random.between(5, 60),
      random.below(2),
      random.below(5),
      random.below(2),
    ],
  ];
  const [local, fallback, total, once, varyR, stable] = random.pick(profiles);
  return [
    `tunable choose_local_tries ${local}`,
    `tunable choose_local_fallback_tries ${fallback}`,
    `tunable choose_total_tries ${total}`,
    `tunable chooseleaf_descend_once ${once}`,
    `tunable chooseleaf_vary_r ${varyR}`,
    `tunable chooseleaf_stable ${stable}`,
    `tunable straw_calc_version ${random.below(2)}`,
    "tunable allowed_bucket_algs 62",
  ];
}

function hierarchy(
  random: Random,
  shape: Shape,
  algorithm: Algorithm | undefined,
  zeroWeights: boolean,
): Bucket[] {
  const buckets: Bucket[] = [];
  const add = (type: string, name: string, items: Bucket["items"]): Bucket["items"][number] => {
    // Bucket ids leave gaps, and room for the shadow buckets of device classes.
    const id = -1 - buckets.length - (buckets.length > 2 ? 2 : 0);
    const drawn = algorithm ?? random.pick<Algorithm>(["uniform", "list", "tree", "straw", "straw2"]);
    // A tree has at most 128 nodes on the wire, and what a uniform bucket holds weighs the same.
    const fitted = drawn === "tree" && items.length > 60 ? "straw2" : drawn;
    const common = items[0]!.weight || 1;
    const members = fitted === "uniform" ? items.map((item) => ({ ...item, weight: common })) : items;
    buckets.push({ id, type, name, algorithm: fitted, items: members });
    return { name, weight: members.reduce((sum, item) => sum + item.weight, 0) };
  };

  const even = random.chance(0.3);
  const hosts = groups(shape.devices, shape.hosts).map((ids, host) =>
    add(
      "host",
      `host${host}`,
      ids.map((id) => ({ name: `osd.${id}`, weight: even ? 1 : deviceWeight(random, zeroWeights) })),
    ),
  );
  const racks =
    shape.racks === 0
      ? hosts
      : groups(shape.hosts, shape.racks).map((ids, rack) =>
          add(
            "rack",
            `rack${rack}`,
            ids.map((id) => hosts[id]!),
          ),
        );
  add("root", "default", racks);
  return buckets;
}

function deviceWeight(random: Random, zeroWeights: boolean): number {
  return zeroWeights && random.chance(0.05) ? 0 : random.between(1, 200) / 16;
}

function groups(count: number, parts: number): number[][] {
  return Array.from({ length: parts }, (_, part) =>
    Array.from({ length: count }, (_, i) => i).filter((i) => i % parts === part),
  );
}

function bucketText({ id, type, name, algorithm, items }: Bucket): string[] {
  return [
    `${type} ${name} {`,
    ` id ${id}`,
    ` alg ${algorithm}`,
    " hash 0",
    ...items.map((item) => ` item ${item.name} weight ${item.weight.toFixed(5)}`),
    "}",
  ];
}

/** Every step type, in the rules that administrators write and in some that they should not. */
function ruleBodies(random: Random, shape: Shape, classes: boolean): string[][] {
  const outer = shape.racks > 0 ? "rack" : "host";
  const rules = [
    ["take default", "chooseleaf firstn 0 type host", "emit"],
    ["take default", "choose firstn 0 type osd", "emit"],
    ["take default", `choose firstn 2 type ${outer}`, "chooseleaf firstn 2 type host", "emit"],
    [
      "take default",
      "set_choose_tries 100",
      "set_chooseleaf_tries 5",
      "chooseleaf indep 0 type host",
      "emit",
    ],
    ["take default", "choose indep 0 type osd", "emit"],
    ["take default", `choose indep 3 type ${outer}`, "choose indep 2 type osd", "emit"],
    ["take default", "choose firstn 1 type host", "choose firstn -1 type osd", "emit", "take osd.0", "emit"],
    [
      "take default",
      `set_choose_local_tries ${random.below(4)}`,
      `set_choose_local_fallback_tries ${random.below(4)}`,
      `set_chooseleaf_vary_r ${random.below(5)}`,
      `set_chooseleaf_stable ${random.below(2)}`,
      `set_choose_tries ${random.between(1, 80)}`,
      `chooseleaf firstn ${random.pick([0, 2, -1])} type ${outer}`,
      "emit",
    ],
  ];
  if (classes) {
    rules.push(
      ["take default class ssd", "chooseleaf firstn 1 type host", "emit"].concat([
        "take default class hdd",
        "chooseleaf firstn -1 type host",
        "emit",
      ]),
      ["take default class hdd", "set_chooseleaf_tries 5", "chooseleaf indep 0 type host", "emit"],
    );
  }
  return rules;
}

function chooseArgsText(random: Random, buckets: readonly Bucket[], pool: number): string[] {
  const positions = random.between(1, 3);
  const entries = buckets
    .filter((bucket) => bucket.algorithm === "straw2" && random.chance(0.8))
    .flatMap(({ id, items }) => {
      const weights = () => items.map((item) => (item.weight * random.between(8, 24)) / 16);
      const sets = Array.from({ length: positions }, () => `[ ${fixed(weights())} ]`);
      const ids = random.chance(0.3)
        ? [` ids [ ${items.map(() => -random.between(1000, 9000)).join(" ")} ]`]
        : [];
      return [" {", ` bucket_id ${id}`, " weight_set [", ...sets, " ]", ...ids, " }"];
    });
  return [`choose_args ${pool} {`, ...entries, "}"];
}

function fixed(weights: readonly number[]): string {
  return weights.map((weight) => weight.toFixed(5)).join(" ");
}

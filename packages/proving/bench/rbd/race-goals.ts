import { estimate } from "../rados/estimate.ts";
import { type Goal, goal } from "../rados/goals.ts";
import { type Client, cached, type Sample, shipped, siphon, tuned } from "./clients.ts";

/** The results of a client under a load, round by round. */
export interface Cell {
  store: string;
  wire: string;
  load: string;
  client: string;
  samples: Sample[];
}

/** The goals of the race for one kind of cluster. */
export function goalsOf(
  cells: readonly Cell[],
  store: keyof typeof bestCpu,
  wires: readonly string[],
): Goal[] {
  /** @param load a load's full name, or its part before the depth */
  const cell = (wire: string, load: string, client: Client) =>
    cells.find(
      (c) =>
        c.store === store &&
        c.wire === wire &&
        `${c.load},`.startsWith(`${load},`) &&
        c.client === client.name,
    )?.samples;
  /** The librbd with the best median of a figure; it may be that of another release. */
  const best = (wire: string, load: string, key: keyof Sample, op: Goal["op"]) => {
    const median = ({ samples }: Cell) => estimate(samples.map((sample) => sample[key])).median;
    return cells
      .filter((c) => c.store === store && c.wire === wire && `${c.load},`.startsWith(`${load},`))
      .filter(({ client }) => client !== siphon.name && client !== cached.name)
      .toSorted((a, b) => (op === "<=" ? median(a) - median(b) : median(b) - median(a)))[0];
  };
  const goals: Goal[] = [];
  /** Our client against theirs, round by round. */
  const add = (
    name: string,
    key: keyof Sample,
    ours: Sample[] | undefined,
    theirs: Sample[] | undefined,
    op: Goal["op"],
    limit: number,
  ) => {
    if (ours === undefined || theirs === undefined || ours.length !== theirs.length) return;
    goals.push(
      goal(`${store} ${name}`, estimate(ours.map((sample, i) => sample[key] / theirs[i]![key])), op, limit),
    );
  };
  /** Our client against the best librbd for this figure. */
  const addBest = (
    wire: string,
    load: string,
    what: string,
    key: keyof Sample,
    op: Goal["op"],
    limit: number,
  ) => {
    const peer = best(wire, load, key, op);
    const name = `${wire} ${load}: ${what} / best librbd (${peer?.client})`;
    add(name, key, cell(wire, load, siphon), peer?.samples, op, limit);
  };
  /** Our client alone. */
  const addOwn = (name: string, key: keyof Sample, ours: Sample[] | undefined, limit: number) => {
    if (ours === undefined) return;
    goals.push(goal(`${store} ${name}`, estimate(ours.map((sample) => sample[key])), "<=", limit));
  };
  const limits = { randread: { shipped: 0.4, tuned: 0.55 }, randwrite: { shipped: 0.6, tuned: 0.8 } };
  for (const wire of wires) {
    for (const rw of ["randread", "randwrite"] as const) {
      const load = `16K ${rw}`;
      const ours = cell(wire, load, siphon);
      for (const [who, client] of [
        ["shipped", shipped],
        ["tuned", tuned],
      ] as const) {
        const theirs = cell(wire, load, client);
        add(`${wire} ${load}: CPU per I/O / ${client.name}`, "cpu", ours, theirs, "<=", limits[rw][who]);
        add(
          `${wire} ${load}: IOPS / ${client.name}`,
          "iops",
          ours,
          theirs,
          ">=",
          who === "shipped" ? 1.25 : 1.1,
        );
      }
      addBest(wire, load, "CPU per I/O", "cpu", "<=", bestCpu[store][rw]);
      addBest(wire, load, "IOPS", "iops", ">=", 1.05);
      const small = `4K ${rw}, depth 1`;
      add(
        `${wire} ${small}: p50 / librbd`,
        "p50",
        cell(wire, small, siphon),
        cell(wire, small, shipped),
        "<=",
        1.1,
      );
      addBest(wire, small, "p50", "p50", "<=", 1.05);
    }
    for (const [load, microseconds] of (store === "memstore" && ownCpu[wire]) || []) {
      addOwn(`${wire} ${load}: CPU of siphon, us per I/O`, "cpu", cell(wire, load, siphon), microseconds);
    }
    const deep = "16K randread, depth 128";
    addOwn(`${wire} ${deep}: memory of siphon, MiB`, "mebibytes", cell(wire, deep, siphon), 80);
  }
  const load = "16K randread";
  add(
    `${load}: our IOPS secure / crc`,
    "iops",
    cell("secure", load, siphon),
    cell("crc", load, siphon),
    ">=",
    0.9,
  );
  return goals;
}

/** Largest CPU per I/O, times that of the best librbd of any release, by kind of cluster. */
const bestCpu = {
  memstore: { randread: 0.35, randwrite: 0.5 },
  bluestore: { randread: 0.33, randwrite: 0.5 },
} as const;

/** Largest CPU of a client, by messenger mode, on the machine of the committed results, with an in-memory OSD. */
const ownCpu: Readonly<Record<string, readonly (readonly [load: string, microseconds: number])[]>> = {
  crc: [
    ["16K randread, depth 128", 8],
    ["16K randwrite, depth 128", 14],
    ["4K randread, depth 128", 6.5],
  ],
  secure: [
    ["16K randread, depth 128", 9],
    ["16K randwrite, depth 128", 14],
  ],
};

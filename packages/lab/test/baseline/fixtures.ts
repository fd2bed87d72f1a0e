import type { Cell } from "../../src/baseline/cells.ts";
import type { EngineName } from "../../src/baseline/options.ts";
import { BaselineRecord } from "../../src/baseline/record.ts";
import type { BaselineResults } from "../../src/baseline/results.ts";
import type { WireName } from "../../src/baseline/wires.ts";
import type { Run } from "../../src/results/schema.ts";

/** A run with so many IOPS, 10,000 I/Os and so many microseconds of CPU for each. */
export function run(repeat: number, iops: number, { client = 40, osds = 30 as number | null } = {}) {
  const cpu = (perIo: number) => ({
    user: perIo / 100,
    system: 0,
    threads: { "msgr-worker-0": perIo / 200 },
  });
  return {
    repeat,
    order: repeat,
    started: "2026-03-14T09:26:53.589Z",
    seconds: 2,
    ios: 10_000,
    iops,
    bytesPerSecond: iops * 16_384,
    latency: { mean: 1, p50: 1, p95: 2, p99: 3, p999: 4 },
    cpu: { client: cpu(client), ...(osds !== null && { osds: cpu(osds) }) },
    fio: `fio/${repeat}.json`,
  } satisfies Omit<Run, "outlier">;
}

/** A cell that was planned on a local cluster. */
export function plannedCell(osds: number, wire: WireName, engine: EngineName): Cell {
  const cluster = `${osds}-osd-${wire}`;
  const place = engine === "krbd" ? ("guest" as const) : ("host" as const);
  return {
    name: `${cluster}-${engine}`,
    ...{ cluster, osds, wire, engine, place },
    clientCpu: place === "guest" ? "QEMU" : "fio",
    mode: wire === "v2-secure" ? "secure" : "crc",
    command: "fio --name=<b>",
    clientConf: "[global]\n",
    status: "planned",
  } as Cell;
}

/** A record of cells with nothing measured yet. */
export function emptyRecord(cells: Cell[]): BaselineRecord {
  const load = { rw: "randread", blockSize: 16_384, ioDepth: 128, seconds: 2, warmupSeconds: 1 };
  return new BaselineRecord(
    {
      seed: 1,
      workload: { ...load, repeats: 5, size: 2 ** 27 },
      facts: { machine: [], versions: [], guest: [{ name: "accelerator", value: "TCG (no /dev/kvm)" }] },
      clusters: [{ name: "1-osd-v2-crc", title: "1 OSD", facts: [] }],
    },
    cells,
  );
}

/** librbd in crc and secure mode, the latter a third slower, and kernel RBD once measured, once skipped. */
export function exampleBaseline(repeats = 5): BaselineResults {
  const cells = [
    plannedCell(1, "v2-crc", "librbd"),
    plannedCell(1, "v2-secure", "librbd"),
    plannedCell(1, "v2-crc", "krbd"),
  ];
  const { name, cluster, osds, wire, engine } = plannedCell(1, "v2-secure", "krbd");
  const record = emptyRecord([
    ...cells,
    { name, cluster, osds, wire, engine, status: "skipped", reason: "no root" },
  ]);
  for (let repeat = 0; repeat < repeats; repeat++) {
    const weather = 1 + repeat / 10;
    record.add(cells[0].name, run(repeat, 20_000 * weather));
    record.add(cells[1].name, run(repeat, (13_000 + 100 * repeat) * weather, { client: 60 }));
    record.add(cells[2].name, run(repeat, 900 * weather, { client: 500 }));
  }
  return record.results(true);
}

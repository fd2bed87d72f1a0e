import { DensityRecord, placeOf } from "../../src/density/record.ts";
import type { DensityResults } from "../../src/density/results.ts";
import { densityWays } from "../../src/density/ways.ts";
import { run } from "../baseline/fixtures.ts";

/** Five blocks of one and two VMs by three ways: siphon needs half of librbd's CPU; one process for all saves memory. */
export function exampleDensity(): DensityResults {
  const places = densityWays.flatMap((way) => [1, 2].map((vms) => placeOf(way, vms)));
  const record = new DensityRecord(
    {
      seed: 1,
      workload: {
        ...{ rw: "randread", blockSize: 16_384, ioDepth: 16, seconds: 2, warmupSeconds: 1 },
        ...{ repeats: 5, size: 2 ** 27 },
      },
      vm: { cpus: 1, memory: 384 * 2 ** 20 },
      facts: { machine: [{ name: "processor", value: "one <fast>" }], versions: [], guest: [], cluster: [] },
      accelerator: { name: "tcg", reason: "KVM is not here" },
    },
    places,
    [],
  );
  for (let repeat = 0; repeat < 5; repeat++) {
    for (const { name, way, vms } of places) {
      if (name === "siphon-each-2" && repeat === 4) {
        record.fail(name, "the guest panicked");
        continue;
      }
      const client = (way === "librbd" ? 80 : 40) * (1 + repeat / 100);
      const memory = (way === "siphon-one" ? 420 : 500) * 2 ** 20;
      const measured = run(repeat, 8_000 * vms * (1 + repeat / 50), { client });
      record.add(name, { ...measured, memory, slowest: 0.97 });
    }
  }
  for (const { name } of densityWays)
    record.describe(name, { command: "qemu <a>", clientConf: "[global]\n" });
  return record.results(true);
}

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { HostSensors } from "../../src/host/sensors.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-sensors-"));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A tree as sysfs has it. */
function tree(name: string, files: Record<string, string | number>): string {
  const root = join(dir, name);
  mkdirSync(root, { recursive: true });
  write(root, files);
  return root;
}

function write(root: string, files: Record<string, string | number>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${content}\n`);
  }
}

const cpu = (number: number, file: string) => `devices/system/cpu/cpu${number}/${file}`;
const numastat = (local: number, remote: number) =>
  `numa_hit ${local}\nnuma_miss 0\nlocal_node ${local}\nother_node ${remote}`;

const server = {
  ...Object.fromEntries(
    [0, 1].flatMap((number) => [
      [cpu(number, "cpufreq/scaling_cur_freq"), 2_000_000 + number * 1_000_000],
      [cpu(number, "cpufreq/scaling_governor"), "performance"],
      [cpu(number, "cpufreq/cpuinfo_min_freq"), 800_000],
      [cpu(number, "cpufreq/cpuinfo_max_freq"), 3_400_000],
      [cpu(number, "thermal_throttle/core_throttle_count"), 3 + number],
    ]),
  ),
  "devices/system/cpu/cpufreq/policy0/scaling_cur_freq": 1,
  "class/thermal/thermal_zone0/temp": 45_000,
  "class/thermal/thermal_zone1/temp": 71_500,
  "devices/system/node/node0/numastat": numastat(100, 20),
  "devices/system/node/node1/numastat": numastat(50, 5),
};

test("a server shows frequency, heat, throttling and where pages come from, at each moment anew", () => {
  const root = tree("server", server);
  const sensors = new HostSensors(root);
  assert.deepEqual(sensors.abilities, {
    numaNodes: 2,
    frequency: "governor performance, 800 to 3,400 MHz",
    thermalSensors: 2,
  });
  assert.deepEqual(sensors.sample(), {
    mhz: 2500,
    celsius: 71.5,
    throttled: 7,
    pages: { local: 150, remote: 25 },
  });
  write(root, {
    [cpu(0, "cpufreq/scaling_cur_freq")]: 1_000_000,
    "class/thermal/thermal_zone1/temp": 40_000,
  });
  const { mhz, celsius } = sensors.sample();
  assert.deepEqual([mhz, celsius], [2000, 45]);
});

test("a virtual machine shows none of it, and one node has no other", () => {
  const root = tree("vm", {
    "devices/system/cpu/cpu0/topology/core_id": 0,
    "devices/system/node/node0/numastat": numastat(1, 0),
  });
  const sensors = new HostSensors(root);
  assert.deepEqual(sensors.abilities, { numaNodes: 1, frequency: undefined, thermalSensors: 0 });
  assert.deepEqual(sensors.sample(), {});
  assert.deepEqual(new HostSensors(join(dir, "nowhere")).sample(), {});
});

test("sensors that cannot be read are left out, and those that go away later", () => {
  const root = tree("odd", { ...server, "class/thermal/thermal_zone2/temp": "" });
  const sensors = new HostSensors(root);
  assert.equal(sensors.abilities.thermalSensors, 2);
  rmSync(join(root, "class"), { recursive: true });
  const { celsius, mhz } = sensors.sample();
  assert.deepEqual([celsius, mhz], [undefined, 2500]);
});

test("of many processors some are read, spread over all", () => {
  const files = Object.fromEntries(
    Array.from({ length: 64 }, (_, number) => [cpu(number, "cpufreq/scaling_cur_freq"), number * 1000]),
  );
  // 0, 4, ... 60.
  assert.equal(new HostSensors(tree("large", files)).sample().mhz, 30);
});

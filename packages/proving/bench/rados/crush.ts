/**
 * The cost of placing 10,000 PGs, as after a change of the map, on generated clusters of several shapes, replicated and
 * erasure coded. Needs crushtool. The goal is in CPU time of all threads, which equals the elapsed time on an idle
 * machine.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { OsdMap } from "../../../rados/src/osdmap/osdmap.ts";
import { osdMapBytes } from "../../../rados/test/support/osdmap-bytes.ts";
import { begin, flag, goalsFile } from "../../program.ts";
import { estimate } from "./estimate.ts";
import { goal, printGoals, progress, writeResult } from "./goals.ts";

const args = await begin("bench:crush", "The cost of placing 10,000 PGs. Needs crushtool.", {
  quick: flag("5 rounds instead of 25"),
  json: goalsFile,
});
const rounds = args.quick ? 5 : 25;
const pgs = 10_000;
const goalMilliseconds = 100;

interface Shape {
  name: string;
  osds: number;
  /** Levels above the OSDs, and the number of items per bucket; 0: all. */
  levels: [type: string, members: number][];
  size: number;
  erasure?: boolean;
}

const shapes: Shape[] = [
  {
    name: "12 OSDs, 3 hosts",
    osds: 12,
    levels: [
      ["host", 4],
      ["root", 0],
    ],
    size: 3,
  },
  {
    name: "300 OSDs, 30 hosts, 3 racks",
    osds: 300,
    levels: [
      ["host", 10],
      ["rack", 10],
      ["root", 0],
    ],
    size: 3,
  },
  {
    name: "2,000 OSDs, 100 hosts, 10 racks",
    osds: 2000,
    levels: [
      ["host", 20],
      ["rack", 10],
      ["root", 0],
    ],
    size: 3,
  },
  {
    name: "2,000 OSDs, 100 hosts",
    osds: 2000,
    levels: [
      ["host", 20],
      ["root", 0],
    ],
    size: 3,
  },
  {
    name: "300 OSDs, 30 hosts, 4+2 erasure coded",
    osds: 300,
    levels: [
      ["host", 10],
      ["root", 0],
    ],
    size: 6,
    erasure: true,
  },
];

const directory = await mkdtemp(join(tmpdir(), "siphon-bench-"));
const rows = [];
for (const shape of shapes) {
  progress(shape.name);
  const bytes = await generate(shape);
  const samples = Array.from({ length: rounds + 1 }, () => sample(bytes)).slice(1);
  const elapsed = estimate(samples.map(({ milliseconds }) => milliseconds));
  const cpu = estimate(samples.map(({ cpuMilliseconds }) => cpuMilliseconds));
  rows.push({ name: shape.name, elapsed, cpu });
  progress("");
  console.log(
    `${shape.name.padEnd(40)} ${cpu.median.toFixed(1).padStart(6)} ms of CPU` +
      ` [${cpu.low.toFixed(1)}, ${cpu.high.toFixed(1)}], ${elapsed.median.toFixed(1)} ms elapsed`,
  );
}
await rm(directory, { recursive: true });

const goals = rows.map(({ name, cpu }) =>
  goal(`${pgs} PGs placed, ms of CPU: ${name}`, cpu, "<=", goalMilliseconds),
);
printGoals(goals);
await writeResult(args.json, { benchmark: "crush", pgs, rounds, rows, goals });

/** Places every PG of a freshly decoded map; decoding is not counted. */
function sample(bytes: Buffer): { milliseconds: number; cpuMilliseconds: number } {
  const map = OsdMap.decode(bytes);
  const pool = map.pool(1)!;
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let seed = 0; seed < pgs; seed++) map.place(pool, seed);
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { milliseconds, cpuMilliseconds: (user + system) / 1000 };
}

async function generate({ osds, levels, size, erasure = false }: Shape): Promise<Buffer> {
  const built = join(directory, "built");
  const text = join(directory, "text");
  const layers = levels.flatMap(([type, members]) => [type, "straw2", String(members)]);
  await run("crushtool", ["--outfn", built, "--build", "--num_osds", String(osds), ...layers]);
  const { stdout } = await run("crushtool", ["-d", built]);
  // The rule that crushtool adds, rewritten for an erasure-coded pool.
  const steps = "step set_chooseleaf_tries 5\n\tstep take root\n\tstep chooseleaf indep 0 type host";
  const adapted = stdout
    .replace("type replicated", "type erasure")
    .replace(/step take root\s+step chooseleaf firstn 0 type host/, steps);
  await writeFile(text, erasure ? adapted : stdout);
  await run("crushtool", ["-c", text, "-o", built]);
  return osdMapBytes({
    fsid: "01234567-89ab-cdef-0123-456789abcdef",
    epoch: 1,
    crush: await readFile(built),
    pools: [
      {
        ...{ id: 1, name: "p", type: erasure ? 3 : 1, size, rule: 0 },
        ...{ pgNum: pgs, pgpNum: pgs, flags: 1 },
      },
    ],
    osds: Array.from({ length: osds }, () => ({ state: 3, weight: 0x10000, affinity: 0x10000 })),
  });
}

async function run(program: string, argv: string[]): Promise<{ stdout: string }> {
  return await promisify(execFile)(program, argv, { maxBuffer: 2 ** 26 });
}

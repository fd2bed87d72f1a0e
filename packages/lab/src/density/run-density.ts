import { LocalCluster } from "../cluster/local-cluster.ts";
import { LabError } from "../errors.ts";
import { smallGuest } from "../guest/small.ts";
import { host } from "../host/platform.ts";
import { versions } from "../host/versions.ts";
import { createImage } from "../image/image.ts";
import { prefillImage } from "../image/prefill.ts";
import { vmsAtOnce } from "../ladder/room.ts";
import { formatSize } from "../ladder/size.ts";
import { machineFacts, versionFacts } from "../load/facts.ts";
import { workloadOf } from "../load/options.ts";
import { makeRunDirectory } from "../results/directory.ts";
import { findOffers } from "../rungs/offers.ts";
import { type PlannedRung, planRungs } from "../rungs/plan.ts";
import { ImageServers } from "../serve/image-server.ts";
import type { Report, StepRunner } from "../step.ts";
import { chooseAccelerator } from "../vm/accelerator.ts";
import { renderCommand } from "../vm/arguments.ts";
import { startPlanned } from "../vm/by-hand.ts";
import { writeDensityResults } from "./file.ts";
import { type DensityHooks, measureDensityBlock } from "./measure.ts";
import type { DensityOptions } from "./options.ts";
import { DensityRecord, placeOf } from "./record.ts";
import { writeDensityReport } from "./report/write.ts";
import type { DensityCell, DensityResults } from "./results.ts";
import { type DensityWay, densityWays } from "./ways.ts";

export interface DensityOutcome {
  results: DensityResults;
  /** Directory of results.json, the report and fio's own output. */
  directory: string;
  /** The error that ended the run, if any; the results have everything measured before it. */
  failure?: unknown;
}

const GIB = 2 ** 30;
const imageOf = (number: number) => `siphon-density-${number + 1}`;

/**
 * Measures increasing numbers of VMs under load: a local cluster, an image for each VM, and several ways of attaching
 * them. Nothing is left running.
 *
 * @throws when it fails before anything could be measured; later failures come with the results so far
 */
export async function runDensity(
  options: DensityOptions,
  { out, step, signal }: { out: string; step: StepRunner; signal: AbortSignal },
): Promise<DensityOutcome> {
  const guest = await step("Prepare the guest", () => smallGuest(signal));
  const accelerator = await chooseAccelerator(options.accel, smallGuest, signal);
  await using cluster = await step("Set up cluster and images", (report) => setUp(options, report, signal));
  using watch = cluster.watch();
  const stop = AbortSignal.any([signal, watch.signal]);
  const { cpus, memory } = options.vm;
  const planned = planWays(options, await findOffers({ cpus, memory, librbdDir: undefined }));
  const record = new DensityRecord(
    {
      seed: options.seed,
      workload: workloadOf(options),
      vm: options.vm,
      facts: {
        machine: machineFacts(),
        versions: versionFacts(await versions({})),
        guest: [
          ...guest.description,
          { name: "vCPUs", value: String(cpus) },
          { name: "memory", value: formatSize(memory) },
        ],
        cluster: await cluster.facts(),
      },
      accelerator,
    },
    planned.ways.flatMap(({ way }) => options.vms.map((vms) => placeOf(way, vms))),
    planned.skipped,
  );
  const directory = await makeRunDirectory(out);
  await using servers = new Servers();
  // Each configuration is written once: VMs that boot at the same time read it.
  const ready = await Promise.all(
    planned.ways.map(async ({ way, settings }) => {
      return { way, settings, conf: await cluster.clientConf(way.name, settings.clientOptions) };
    }),
  );
  const boot: DensityHooks["boot"] = async (way, number, aborted) => {
    const { settings, conf } = ready.find((each) => each.way === way)!;
    const disk = {
      type: "rbd",
      pool: cluster.client.pool,
      image: imageOf(number),
      user: cluster.spec.user,
    } as const;
    const vm = await startPlanned(
      {
        ...{ guest, settings, cpus, qemu: host, signal: aborted },
        disk: { ...disk, conf: conf.path },
        accelerator: accelerator.name,
        memoryMiB: Math.ceil(memory / 2 ** 20),
      },
      (served, transport) => servers.of(way).serve(served, transport),
    );
    record.describe(way.name, { command: renderCommand(vm.command), clientConf: conf.text });
    return vm;
  };
  const failure = await attempt(record, watch.signal, signal, async () => {
    const groups = groupsOf(
      planned.ways.map(({ way }) => way),
      options,
    );
    for (let block = 0; block < options.repeat; block++) {
      await step(`Block ${block + 1} of ${options.repeat}`, async (report) => {
        const hooks = { boot, directory, report, signal: stop, osdPids: () => cluster.osdPids };
        for (const group of groups) await measureDensityBlock(group, block, options, record, hooks);
        await writeDensityResults(directory, record.results(false));
      });
    }
  });
  const results = record.results(failure === undefined);
  await step("Write the report", async () => {
    await writeDensityResults(directory, results);
    await writeDensityReport(directory, results);
  });
  return { results, directory, failure };
}

async function attempt(
  record: DensityRecord,
  failed: AbortSignal,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<unknown> {
  try {
    await work();
    const [first] = record.failures;
    if (!first) return undefined;
    const hint = "the other measurements are in the report";
    return new LabError("SIPHON_VM", `${first.cell} failed: ${first.reason}`, { hint });
  } catch (error) {
    const failure = failed.aborted && !signal.aborted ? failed.reason : error;
    record.note(`The run was cut short: ${(failure as Error).message}`);
    return failure;
  }
}

async function setUp(options: DensityOptions, report: Report, signal: AbortSignal): Promise<LocalCluster> {
  const most = Math.max(...options.vms);
  await using undo = new AsyncDisposableStack();
  const spec = {
    name: `density-${process.pid}`,
    ...({ osds: 1, store: "memstore", auth: "cephx", wire: "any" } as const),
    osdSize: Math.max(GIB, 2 * most * options.size),
  };
  const cluster = undo.use(await LocalCluster.up(spec, { signal, onStep: report }));
  for (let number = 0; number < most; number++) {
    const image = imageOf(number);
    report(`filling image ${number + 1} of ${most}`);
    await createImage(cluster.client, { image, size: options.size, signal });
    await prefillImage(cluster.client, { image, signal });
  }
  undo.move();
  return cluster;
}

function planWays(
  { ways, vms }: DensityOptions,
  offers: Awaited<ReturnType<typeof findOffers>>,
): {
  ways: { way: DensityWay; settings: Extract<PlannedRung, { status: "planned" }>["settings"] }[];
  skipped: DensityCell[];
} {
  const wanted = densityWays.filter(({ name }) => ways.includes(name));
  const planned = wanted.map((way) => ({ way, rung: planRungs("cumulative", offers, [way.rung])[0]! }));
  return {
    ways: planned.flatMap(({ way, rung }) =>
      rung.status === "planned" ? [{ way, settings: rung.settings }] : [],
    ),
    skipped: planned.flatMap(({ way, rung }) =>
      rung.status === "skipped"
        ? vms.map((count) => ({ ...placeOf(way, count), status: "skipped" as const, reason: rung.reason }))
        : [],
    ),
  };
}

/** Measures all ways together if their VMs fit into memory, otherwise one after the other. */
function groupsOf(ways: DensityWay[], { vm, vms }: DensityOptions): DensityWay[][] {
  const room = vmsAtOnce({ vm, guestImage: undefined });
  return ways.length * Math.max(...vms) <= room ? [ways] : ways.map((way) => [way]);
}

/** The servers of the images of each way. */
class Servers implements AsyncDisposable {
  readonly #all = new Map<DensityWay, ImageServers>();

  of(way: DensityWay): ImageServers {
    // The ways share images, so the lock goes to the VM that writes.
    const servers = this.#all.get(way) ?? new ImageServers({ shared: true, together: way.together });
    this.#all.set(way, servers);
    return servers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all.values()].map((servers) => servers[Symbol.asyncDispose]()));
  }
}

import { imageGuest } from "../guest/image-guest.ts";
import { benchmarkPartition } from "../guest/partition/benchmark-partition.ts";
import { smallGuest } from "../guest/small.ts";
import type { Platform } from "../host/platform.ts";
import { versions } from "../host/versions.ts";
import { machineFacts, rootFacts, versionFacts } from "../load/facts.ts";
import type { Results } from "../results/schema.ts";
import { librbdSet } from "../roots/librbd-set.ts";
import { findOffers, type VmOffers } from "../rungs/offers.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { LoadableRelease } from "../rungs/releases.ts";
import { ImageServers } from "../serve/image-server.ts";
import type { Report } from "../step.ts";
import { type AcceleratorChoice, chooseAccelerator } from "../vm/accelerator.ts";
import { startPlanned } from "../vm/by-hand.ts";
import type { Vm } from "../vm/vm.ts";
import type { LadderOptions } from "./options.ts";
import type { LadderPlatforms } from "./platforms.ts";
import { formatSize } from "./size.ts";
import type { Target } from "./target.ts";

/** Everything that VMs need besides a disk. Disposing of it ends the servers of their disks. */
export interface VmKit extends AsyncDisposable {
  offers: VmOffers;
  /** The releases of librbd to compare, if the ladder compares releases. */
  releases: LoadableRelease[] | undefined;
  accelerator: AcceleratorChoice;
  facts: Omit<Results["facts"], "cluster">;
  /** The guest's own disk, if any, to import into the image. */
  guestDisk: string | undefined;
  /** Boots a VM with a rung's settings on the target's image, with the given configuration file. */
  boot: (rung: PlannedClimb, target: Target, conf: string, signal: AbortSignal) => Promise<Vm>;
  /** fio's device in a guest: the whole data disk, or a partition of the root disk created for it. */
  device: (vm: Vm, signal: AbortSignal) => Promise<string>;
}

/** Builds the guest, chooses the accelerator, and determines this machine's offers for the rungs. */
export async function prepareVms(
  options: LadderOptions,
  { qemu, ceph, releases }: LadderPlatforms,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<VmKit> {
  report("building the guest, unless it is in the cache");
  const image = options.guestImage === undefined ? undefined : await imageGuest(options.guestImage);
  const guest = image ?? (await smallGuest(signal));
  const guestDisk = await image?.diskFile(signal);
  report("finding out whether KVM boots a guest");
  const accelerator = await chooseAccelerator(options.accel, smallGuest, signal);
  const servers = new ImageServers({ shared: options.guestImage === undefined });
  const { cpus, memory } = options.vm;
  report("looking at what QEMU can load");
  const [found, offers] = await Promise.all([
    versions({ ceph, qemu }),
    findOffers({ cpus, memory, librbdDir: options.librbd, qemu }),
  ]);
  const own = (platform: Platform) => platform.file("/") === qemu.file("/");
  const loadable = releases?.map(async (release) => ({
    ...release,
    set: own(release.platform) ? undefined : await librbdSet(release.platform, qemu),
  }));
  return {
    offers,
    releases: loadable && (await Promise.all(loadable)),
    accelerator,
    facts: {
      machine: machineFacts(),
      versions: [...versionFacts(found), ...rootFacts({ ceph, qemu })],
      guest: [
        ...guest.description,
        { name: "vCPUs", value: String(cpus) },
        { name: "memory", value: formatSize(memory) },
      ],
    },
    guestDisk,
    boot: async (rung, target, conf, signal) => {
      const planned = {
        guest,
        ...(await image?.equipment()),
        settings: rung.settings,
        disk: { type: "rbd" as const, ...target.diskFor(rung.settings), conf },
        accelerator: accelerator.name,
        qemu,
        cpus,
        memoryMiB: Math.ceil(memory / 2 ** 20),
        signal,
      };
      return startPlanned(planned, (disk, transport) => servers.serve(disk, transport));
    },
    device: async (vm, signal) => (image ? (await benchmarkPartition(vm, signal)).path : vm.device),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  };
}

import { createHash, randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import type { CephClient } from "../ceph/client.ts";
import { readConf, writeClientConf } from "../ceph/conf.ts";
import { LabError } from "../errors.ts";
import { imageGuest } from "../guest/image-guest.ts";
import { smallGuest } from "../guest/small.ts";
import type { Platform } from "../host/platform.ts";
import { findOffers } from "../rungs/offers.ts";
import { type LadderMode, planRungs } from "../rungs/plan.ts";
import { serveImage } from "../serve/image-server.ts";
import { cached } from "../state/cache.ts";
import { chooseAccelerator } from "./accelerator.ts";
import type { Accelerator } from "./arguments.ts";
import type { Disk } from "./disk.ts";
import type { VmSettings } from "./settings.ts";
import { Vm, type VmOptions } from "./vm.ts";

/** A user's request for a VM: a rung and a disk. */
export interface VmRequest {
  name?: string;
  rung: string;
  mode: LadderMode;
  /** An image of a cluster, or another kind of disk. */
  disk: { client: CephClient; image: string } | Exclude<Disk, { type: "rbd" }>;
  /** The file that the disk was made from, if the guest boots from it; default: the small guest. */
  guestImage?: string;
  librbdDir?: string;
  /** Platform of QEMU; default: this host. */
  qemu?: Platform;
  accel: "auto" | Accelerator;
  cpus: number;
  memoryMiB: number;
  signal?: AbortSignal;
}

/**
 * Starts a planned VM; on siphon's rungs with the server of its disk, which ends with the VM.
 *
 * @param serve starts the server; default: in its own process
 */
export async function startPlanned(planned: VmOptions, serve: typeof serveImage = serveImage): Promise<Vm> {
  const { settings, disk } = planned;
  if (settings.server === undefined) return Vm.start(planned);
  if (disk.type !== "rbd") {
    throw new LabError(
      "SIPHON_USAGE",
      "siphon serves the disk of this rung, and only serves images of a cluster",
      {
        hint: "give the disk with --image, or choose another rung",
      },
    );
  }
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await serve(disk, settings.server));
  const vm = await Vm.start({ ...planned, disk: server.disk, server });
  stack.move();
  return vm;
}

/**
 * Plans a VM from a rung: `startPlanned` starts it, `vmCommand` only shows the command.
 *
 * @throws LabError SIPHON_USAGE if there is no such rung, or it is unavailable here
 */
export async function planVm(request: VmRequest): Promise<VmOptions & { name: string }> {
  const { name = `vm-${randomBytes(4).toString("hex")}`, guestImage, accel, signal } = request;
  const settings = await settingsOf(request);
  const image = guestImage === undefined ? undefined : await imageGuest(guestImage);
  const { name: accelerator } = await chooseAccelerator(accel, smallGuest, signal);
  return {
    name,
    guest: image ?? (await smallGuest(signal)),
    ...(await image?.equipment()),
    settings,
    disk: await diskOf(request, settings),
    accelerator,
    qemu: request.qemu,
    cpus: request.cpus,
    memoryMiB: request.memoryMiB,
    hotPlug: true,
    signal,
  };
}

async function settingsOf({ rung, mode, cpus, memoryMiB, librbdDir, qemu }: VmRequest): Promise<VmSettings> {
  const offers = await findOffers({ cpus, memory: memoryMiB * 2 ** 20, librbdDir, qemu });
  const noFurtherImages = "it is about how the image is made, and yours is there already";
  const planned = planRungs(mode, { ...offers, noFurtherImages }, [rung]).find(
    (each) => each.rung.name === rung,
  )!;
  if (planned.status === "planned") return planned.settings;
  throw new LabError("SIPHON_USAGE", `the rung ${rung} cannot be had here: ${planned.reason}`);
}

async function diskOf({ disk }: VmRequest, { clientOptions }: VmSettings): Promise<Disk> {
  if (!("client" in disk)) return disk;
  const { conf, user, pool, namespace } = disk.client.target;
  if (pool === undefined) throw new LabError("SIPHON_USAGE", "the pool of the image was not named");
  const own = Object.keys(clientOptions).length > 0 ? await clientConf(conf, user, clientOptions) : conf;
  return { type: "rbd", pool, namespace, image: disk.image, user, conf: own };
}

/** It must outlive this process and exist before the VM, so it is in the cache; equal ones share a file. */
async function clientConf(base: string, user: string, options: Record<string, string>): Promise<string> {
  const inputs = JSON.stringify([base, await readConf(base), user, options]);
  const key = createHash("sha256").update(inputs).digest("hex").slice(0, 16);
  const directory = await cached("client-confs", key, async (dir) => {
    await writeClientConf({ base, user, options, dir });
  });
  return join(directory, basename(base));
}

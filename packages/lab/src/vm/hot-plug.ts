import { reconnectOption } from "@siphon/attach";
import { LabError } from "../errors.ts";
import type { RunResult } from "../host/command.ts";
import { within } from "../host/within.ts";
import { hotPlugBus } from "./arguments.ts";
import { type BackedDisk, type BlockNode, blockNode, type Disk } from "./disk.ts";
import { runningVersion } from "./qemu-version.ts";
import type { Qmp } from "./qmp.ts";
import type { VmSettings } from "./settings.ts";

/** The running VM. */
export interface PlugTarget {
  qmp: Qmp;
  machine: VmSettings["machine"];
  run: (command: string) => Promise<RunResult>;
}

export type PlugSettings = Pick<VmSettings, "cache" | "iothread" | "queues">;

/** A hot-plugged disk. */
export interface PluggedDisk extends AsyncDisposable {
  /** Its name in the guest: /dev/vdb. */
  readonly device: string;
  /** Unplugs it: first the guest releases it, then QEMU closes its backend. */
  unplug(): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/**
 * Hot-plugs a virtio disk into a running VM, in a fraction of a second.
 *
 * @throws LabError SIPHON_VM if QEMU rejects it, SIPHON_GUEST if the guest does not detect it; then it is unplugged
 * again
 */
export async function plugDisk(vm: PlugTarget, disk: Disk, settings: PlugSettings): Promise<PluggedDisk> {
  const id = `plugged-${crypto.randomUUID().slice(0, 8)}`;
  await using undo = new AsyncDisposableStack();
  const known = new Set(await virtioDisks(vm));
  const device =
    disk.type === "vhost-user"
      ? await addVhostUser(vm.qmp, disk, id)
      : await addNode(vm.qmp, disk, id, settings);
  undo.defer(() => device.remove());
  if (settings.iothread && disk.type !== "vhost-user") {
    const iothread = `${id}-iothread`;
    await vm.qmp.execute("object-add", { "qom-type": "iothread", id: iothread });
    undo.defer(async () => void (await vm.qmp.execute("object-del", { id: iothread })));
    device.properties.iothread = iothread;
  }
  await vm.qmp.execute("device_add", {
    id,
    ...device.properties,
    ...(settings.queues !== undefined && { "num-queues": settings.queues }),
    ...(vm.machine === "q35" && { bus: hotPlugBus }),
  });
  undo.defer(() => removeDevice(vm.qmp, id));
  const name = await newDisk(vm, known);
  const plugged = undo.move();
  const unplug = () => plugged.disposeAsync();
  return { device: `/dev/${name}`, unplug, [Symbol.asyncDispose]: unplug };
}

/** A backend in QEMU, and the arguments of device_add for its device. */
interface Backend {
  properties: Record<string, string>;
  remove: () => Promise<void>;
}

async function addNode(qmp: Qmp, disk: BackedDisk, id: string, settings: PlugSettings): Promise<Backend> {
  const node: BlockNode = { ...blockNode(settings, disk), "node-name": id };
  await qmp.execute("blockdev-add", node);
  return {
    properties: { driver: "virtio-blk-pci", drive: id },
    remove: async () => void (await qmp.execute("blockdev-del", { "node-name": id })),
  };
}

async function addVhostUser(
  qmp: Qmp,
  disk: Extract<Disk, { type: "vhost-user" }>,
  id: string,
): Promise<Backend> {
  const addr = { type: "unix", data: { path: disk.socket } };
  const chardev = `${id}-chardev`;
  const reconnect = reconnectOption(await runningVersion(qmp));
  await qmp.execute("chardev-add", {
    id: chardev,
    backend: { type: "socket", data: { addr, server: false, ...reconnect } },
  });
  return {
    properties: { driver: "vhost-user-blk-pci", chardev },
    remove: async () => void (await qmp.execute("chardev-remove", { id: chardev })),
  };
}

/** device_del only sends a request to the guest; DEVICE_DELETED confirms the removal. */
async function removeDevice(qmp: Qmp, id: string): Promise<void> {
  const deleted = qmp.nextEvent(({ event, data }) => event === "DEVICE_DELETED" && data.device === id);
  deleted.catch(() => {});
  await qmp.execute("device_del", { id });
  await within(deleted, { timeoutMs: TIMEOUT_MS, what: "the guest did not let go of a disk" });
}

async function newDisk(vm: PlugTarget, known: Set<string>): Promise<string> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (Date.now() < deadline) {
    const name = (await virtioDisks(vm)).find((each) => !known.has(each));
    if (name) {
      await vm.run(`echo none >/sys/block/${name}/queue/scheduler`);
      return name;
    }
  }
  throw new LabError("SIPHON_GUEST", `the guest did not notice the new disk within ${TIMEOUT_MS / 1000} s`);
}

async function virtioDisks(vm: PlugTarget): Promise<string[]> {
  const { stdout } = await vm.run("cd /sys/block && ls -d vd*");
  return stdout.split("\n").filter(Boolean);
}

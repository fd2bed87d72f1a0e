import { LabError } from "../../errors.ts";
import { type FioJob, fioCommandLine } from "../../fio/command.ts";
import { smallGuest } from "../../guest/small.ts";
import { inOneLine } from "../../host/command.ts";
import { loadInVm } from "../../ladder/load-in-vm.ts";
import { Network } from "../../network/network.ts";
import type { Report } from "../../step.ts";
import { chooseAccelerator } from "../../vm/accelerator.ts";
import { qemuDefaults } from "../../vm/settings.ts";
import { Vm } from "../../vm/vm.ts";
import type { Engine, Load, LoadHooks, Measured } from "../engine.ts";
import { inTargetsMode } from "../modes.ts";
import type { BaselineOptions } from "../options.ts";
import type { BaselineTarget } from "../target.ts";
import { type KernelEngineName, kernelEngines } from "./kernel-engines.ts";
import { mapCommand, mapHint, mappingOf, mapScript, rbdDevice, unmapScript } from "./map.ts";

export interface GuestKrbd extends AsyncDisposable {
  engines: Engine[];
  /** Address on which clusters must listen so that the guest reaches them. */
  address: string;
}

/**
 * Kernel RBD in the small guest, for hosts whose kernel lacks it: a network on this machine, and a newly booted VM for
 * each run.
 *
 * @throws LabError if that is impossible, such as SIPHON_PERMISSION without root
 */
export async function guestKrbd(
  names: readonly KernelEngineName[],
  { accel }: Pick<BaselineOptions, "accel">,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<GuestKrbd> {
  await using stack = new AsyncDisposableStack();
  report("building the guest for kernel RBD, unless it is in the cache");
  const guest = await smallGuest(signal);
  report("finding out whether KVM boots a guest");
  const accelerator = await chooseAccelerator(accel, smallGuest, signal);
  report("making a network for the guest");
  const network = stack.use(await Network.create(`baseline-${process.pid}`));
  const tap = await network.addTap("guest");
  const bits = network.subnet.split("/")[1];
  const boot = (stop: AbortSignal) =>
    Vm.start({
      guest,
      // The disk is unused; with QEMU's defaults the guest would wait for an IDE disk.
      settings: { ...qemuDefaults, device: "virtio-blk" },
      disk: { type: "null", size: 2 ** 20 },
      accelerator: accelerator.name,
      network: { type: "tap", device: tap.interface, address: `${tap.address}/${bits}` },
      signal: stop,
    });
  const how = `${accelerator.name.toUpperCase()} (${accelerator.reason})`;
  const engineNamed = (name: KernelEngineName, index: number): Engine => ({
    name,
    place: "guest",
    clientCpu: "QEMU, with the guest and its kernel in it",
    // All of them run in the same guest.
    facts: index === 0 ? [...guest.description, { name: "accelerator", value: how }] : [],
    obstacle: () => undefined,
    command: (target, load) => `${mapCommand(target)}\n${fioCommandLine(jobOf(name, load))}`,
    load: async (target, load, hooks) => {
      await using vm = await boot(hooks.signal);
      return await inTargetsMode(target, () => loadMapped(vm, target, jobOf(name, load), hooks));
    },
  });
  const keep = stack.move();
  return {
    address: network.address,
    engines: names.map(engineNamed),
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

function jobOf(name: KernelEngineName, load: Load): FioJob {
  return { ...load, filename: rbdDevice, engine: kernelEngines[name] };
}

async function loadMapped(
  vm: Vm,
  target: BaselineTarget,
  job: FioJob,
  { directory, file, signal, onClient }: LoadHooks,
): Promise<Measured> {
  const mapping = await mappingOf(target);
  const mapped = await vm.run(mapScript(mapping), { signal });
  if (mapped.exitCode !== 0) {
    const why = inOneLine(mapped.stderr);
    throw new LabError("SIPHON_GUEST", `the guest's kernel cannot map the image of ${target.name}: ${why}`, {
      hint: mapHint(mapping, why),
    });
  }
  try {
    onClient?.(vm.pid);
    return await loadInVm(vm, job, { osdPids: target.osdPids(), directory, file, signal });
  } finally {
    // A client that vanishes keeps its watch on the image, and its lock, for half a minute. A guest that no longer
    // answers was already reported.
    await vm.run(unmapScript).catch(() => {});
  }
}

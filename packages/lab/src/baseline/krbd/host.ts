import { type FioJob, fioCommandLine } from "../../fio/command.ts";
import type { Engine, Load } from "../engine.ts";
import { fioOnHost } from "../fio-on-host.ts";
import { inTargetsMode } from "../modes.ts";
import type { BaselineTarget } from "../target.ts";
import { wires } from "../wires.ts";
import { type KernelEngineName, kernelEngines } from "./kernel-engines.ts";
import { mapCommand } from "./map.ts";

/** Kernel RBD of this host, with fio on its device. Needs root. */
export function hostKrbd(name: KernelEngineName): Engine {
  const jobOn = (filename: string, load: Load): FioJob => ({
    ...load,
    filename,
    engine: kernelEngines[name],
  });
  return {
    name,
    place: "host",
    clientCpu: "the fio process; what the kernel's own threads use for RBD is not in it",
    facts: [],
    obstacle: () => undefined,
    command: (target, load) => `${mapCommand(target)}\n${fioCommandLine(jobOn("/dev/rbd0", load))}`,
    load: (target, load, hooks) =>
      inTargetsMode(target, async () => {
        const device = await map(target, hooks.signal);
        try {
          return await fioOnHost(jobOn(device, load), {}, target.osdPids(), hooks);
        } finally {
          await target.client.rbd(["device", "unmap", device], { what: `unmap ${device}` });
        }
      }),
  };
}

/** Maps the image as `rbd device map` does, which finds monitors and key by itself; returns the device's path. */
async function map({ client, image, wire }: BaselineTarget, signal: AbortSignal): Promise<string> {
  const options = ["-o", `ms_mode=${wires[wire].kernelMode}`];
  const what = `map the image ${client.spec(image)}`;
  return (await client.rbd(["device", "map", ...options, client.spec(image)], { signal, what })).trim();
}

import { constants, existsSync } from "node:fs";
import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LabError } from "../errors.ts";
import type { Guest } from "../guest/guest.ts";
import { cacheDir } from "../state/paths.ts";
import type { Accelerator } from "./arguments.ts";
import { qemuDefaults } from "./settings.ts";
import { Vm } from "./vm.ts";

/** The accelerator that runs the guest's code, and the reason, which the report shows. */
export interface AcceleratorChoice {
  name: Accelerator;
  reason: string;
}

/**
 * Resolves `--accel`. "auto" uses KVM only after the small guest has booted with it: KVM may exist, start guests, and
 * still not run them (nested virtualisation). The result is stored until the host reboots.
 */
export async function chooseAccelerator(
  wanted: "auto" | Accelerator,
  smallGuest: (signal?: AbortSignal) => Promise<Guest>,
  signal?: AbortSignal,
): Promise<AcceleratorChoice> {
  if (wanted !== "auto") return { name: wanted, reason: `asked for with --accel ${wanted}` };
  const obstacle = await kvmObstacle();
  if (obstacle) return { name: "tcg", reason: obstacle };
  const remembered = await recall();
  if (remembered) return remembered;
  const choice = await probeKvm(await smallGuest(signal), signal);
  await remember(choice);
  return choice;
}

const PROBE_MS = 15_000;

/** Why KVM is not tried. */
async function kvmObstacle(): Promise<string | undefined> {
  if (!existsSync("/dev/kvm")) return "this host has no /dev/kvm";
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "this user may not open /dev/kvm";
  }
  if (existsSync("/sys/module/kvm_pvm")) {
    return "this host's KVM is PVM, software nested in another VM, on which an unmodified kernel does not boot";
  }
  const cpuinfo = await readFile("/proc/cpuinfo", "utf8");
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo))
    return "the CPU offers no virtualisation (neither vmx nor svm)";
  return undefined;
}

/** Tests whether the small guest boots with KVM. */
export async function probeKvm(guest: Guest, signal?: AbortSignal): Promise<AcceleratorChoice> {
  try {
    await using _vm = await Vm.start({
      guest,
      settings: { ...qemuDefaults, device: "virtio-blk" },
      disk: { type: "null", size: 1 << 20 },
      accelerator: "kvm",
      bootTimeoutMs: PROBE_MS,
      signal,
    });
    return { name: "kvm", reason: "the small guest comes up under KVM" };
  } catch (error) {
    const refuted = error instanceof LabError && ["SIPHON_VM", "SIPHON_GUEST"].includes(error.code);
    if (!refuted) throw error;
    const reason = `KVM is there, but the small guest does not come up under it: ${error.message}`;
    return { name: "tcg", reason };
  }
}

const memory = z.object({ bootId: z.string(), name: z.enum(["kvm", "tcg"]), reason: z.string() });

const memoryFile = () => join(cacheDir(), "accelerator.json");

const bootId = async () => (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();

async function recall(): Promise<AcceleratorChoice | undefined> {
  const text = await readFile(memoryFile(), "utf8").catch(() => "null");
  const parsed = memory.safeParse(JSON.parse(text));
  if (!parsed.success || parsed.data.bootId !== (await bootId())) return undefined;
  return { name: parsed.data.name, reason: parsed.data.reason };
}

async function remember(choice: AcceleratorChoice): Promise<void> {
  await mkdir(cacheDir(), { recursive: true });
  // Renamed into place, because another siphon may be reading it.
  const fresh = `${memoryFile()}.${process.pid}`;
  await writeFile(fresh, JSON.stringify({ bootId: await bootId(), ...choice }));
  await rename(fresh, memoryFile());
}

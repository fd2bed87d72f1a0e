import type { FileEngine } from "../../fio/command.ts";
import type { EngineName } from "../options.ts";

export type KernelEngineName = Extract<EngineName, "krbd" | "krbd-io-uring">;

/** The engines that use a device of kernel RBD, with fio's engine for it. */
export const kernelEngines: Record<KernelEngineName, FileEngine> = {
  krbd: "libaio",
  "krbd-io-uring": "io_uring",
};

export const kernelEngineNames = Object.keys(kernelEngines) as KernelEngineName[];

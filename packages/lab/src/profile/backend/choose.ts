import { LabError } from "../../errors.ts";
import { which } from "../../host/command.ts";
import type { BackendName } from "../profile.ts";
import type { Backend } from "./backend.ts";
import { euStack } from "./eu-stack.ts";
import { gdb } from "./gdb.ts";
import { perf } from "./perf.ts";

/** Order of preference: least disturbance that still shows waits; perf, which does not show them, last. */
const backends: Backend[] = [euStack, gdb, perf];

/** Packages by backend in Debian and Fedora; only perf's names differ. */
const packages: Record<BackendName, string> = {
  "eu-stack": "elfutils",
  gdb: "gdb",
  perf: "linux-perf (Fedora: perf)",
};

/** The backend of that name, or for "auto" the first with installed programs; throws SIPHON_MISSING_PROGRAM. */
export async function chooseBackend(name: BackendName | "auto"): Promise<Backend> {
  const candidates = backends.filter((backend) => name === "auto" || backend.name === name);
  for (const backend of candidates) {
    const found = await Promise.all(backend.programs.map(which));
    if (found.every((path) => path !== undefined)) return backend;
  }
  const names = candidates.map((backend) => backend.name).join(", ");
  throw new LabError("SIPHON_MISSING_PROGRAM", `nothing here can read the stacks of a process: no ${names}`, {
    hint: `install the package ${packages[candidates[0].name]}`,
  });
}

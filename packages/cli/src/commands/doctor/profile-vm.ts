import { DoctorError, type Vm } from "@siphon/doctor";
import {
  costInWords,
  datedDirectory,
  profileProcess,
  saturation,
  symbolAdvice,
  writeProfile,
} from "@siphon/lab";
import { interruption } from "../../interruption.ts";
import { terminalSteps } from "../../progress.ts";

/**
 * Adds a wallclock profile of a running VM's process to its notes, or the reason why the process cannot be sampled.
 *
 * @throws DoctorError SIPHON_USAGE if the VM does not run on this host
 */
export async function profileVm(vm: Vm, seconds: number): Promise<void> {
  const { pid, name = `process ${pid}` } = vm;
  if (pid === undefined)
    throw new DoctorError("SIPHON_USAGE", "--profile samples running VMs, and a file describes none", {
      hint: "name a pid, a domain or an id of this host, or none for all of them",
    });
  const { signal } = interruption;
  try {
    const profile = await terminalSteps()(`Sample ${name}`, (report) =>
      profileProcess(pid, { seconds: seconds > 0 ? seconds : 10, signal, report }),
    );
    const directory = datedDirectory("profiles", `${profile.process.name}-${pid}`, new Date(profile.started));
    const { html } = await writeProfile(directory, profile);
    const sentences = [...saturation(profile), costInWords(profile), ...symbolAdvice(profile.unnamed)];
    vm.notes.push(...sentences, `Profile of ${name}, with a flame graph: ${html}`);
  } catch (error) {
    signal.throwIfAborted();
    vm.unseen.push(`a profile of ${name}: ${(error as Error).message}`);
  }
}

import { basename } from "node:path";
import { LabError } from "../../errors.ts";
import { hostProgram } from "../programs.ts";
import type { SshControl } from "./ssh-control.ts";

const DIRECTORY = "/opt/siphon";
/** For 100 MB, unpacked by an emulated CPU. */
const COPY_MS = 600_000;

/** Programs for measurements in a guest, and their version options. */
const programs = { fio: "--version", "mkfs.xfs": "-V" };

/**
 * Ensures that the guest has the programs for measurements. Missing ones are copied from this host with all of their
 * shared objects, including the dynamic loader, so that nothing of the guest's distribution is needed or changed.
 */
export async function ensurePrograms(guest: SshControl, signal?: AbortSignal): Promise<void> {
  for (const [name, version] of Object.entries(programs)) {
    const { exitCode } = await guest.run(`command -v ${name}`, { signal });
    if (exitCode !== 0) await carryIn(guest, name, version, signal);
  }
}

async function carryIn(
  guest: SshControl,
  name: string,
  version: string,
  signal?: AbortSignal,
): Promise<void> {
  const { path, files } = await hostProgram(name);
  const directory = `${DIRECTORY}/${name}`;
  await guest.copyIn(files, directory, { signal, timeoutMs: COPY_MS });
  const script = `#!/bin/sh\nexec ${callOf(path, files, directory)} "$@"\n`;
  const install = `printf %s '${script}' > /usr/bin/${name} && chmod 755 /usr/bin/${name} && ${name} ${version}`;
  const { exitCode, stderr } = await guest.run(install, { signal });
  if (exitCode === 0) return;
  throw new LabError("SIPHON_GUEST", `this host's ${name} does not run in the guest: ${stderr.trim()}`, {
    hint: `install ${name} in the image`,
  });
}

/** A static program is called directly, others through the loader that was copied with them. */
function callOf(path: string, files: string[], directory: string): string {
  const program = `${directory}/${basename(path)}`;
  const loader = files.find((file) => /^ld-linux/.test(basename(file)));
  return loader ? `${directory}/${basename(loader)} --library-path ${directory} ${program}` : program;
}

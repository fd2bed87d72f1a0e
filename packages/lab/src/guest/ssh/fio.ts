import { hostProgram } from "../programs.ts";
import type { SshControl } from "./ssh-control.ts";

const DIRECTORY = "/opt/siphon";
/** A hundred megabytes, unpacked by an emulated CPU. */
const COPY_MS = 600_000;

/**
 * Makes sure that the guest has fio. Where it has none, this host's goes in with every shared object that it
 * loads, its dynamic loader among them: nothing of the guest's own distribution is needed or touched.
 */
export async function ensureFio(guest: SshControl, signal?: AbortSignal): Promise<"its own" | "carried in"> {
  if ((await guest.run("command -v fio", { signal })).exitCode === 0) return "its own";
  const { files } = await hostProgram("fio");
  const loader = files.find((file) => /\/ld-linux[^/]*$/.test(file));
  if (!loader) throw new Error(`fio's shared objects hold no loader: ${files.join(" ")}`);
  await guest.copyIn(files, DIRECTORY, { signal, timeoutMs: COPY_MS });
  const name = loader.slice(loader.lastIndexOf("/") + 1);
  const script = `#!/bin/sh\nexec ${DIRECTORY}/${name} --library-path ${DIRECTORY} ${DIRECTORY}/fio "$@"\n`;
  await guest.run(`printf %s '${script}' > /usr/bin/fio && chmod 755 /usr/bin/fio`, { signal });
  return "carried in";
}

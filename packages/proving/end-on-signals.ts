import { mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { removeOwn } from "../lab/src/clean.ts";
import { Resource } from "../lab/src/state/resource.ts";

/**
 * Makes Ctrl-C, SIGTERM and SIGHUP end everything that this program starts from now on: clusters, VMs and other
 * programs, with their sockets and temporary folders. A second signal ends it at once, as SIGKILL does; `siphon clean`
 * then removes the remains.
 */
export async function endOnSignals(): Promise<void> {
  // Programs that are started without a resource of their own are found by this one, and so are temporary folders.
  const work = await Resource.create("work", `proving-${process.pid}`);
  const directory = work.path("t");
  mkdirSync(directory);
  Object.assign(process.env, work.environment, { TMPDIR: directory });
  process.on("exit", () => rmSync(work.dir, { recursive: true, force: true }));
  let stopping = false;
  const stop = async (name: (typeof signals)[number]) => {
    const code = 128 + constants.signals[name];
    if (stopping) process.exit(code);
    stopping = true;
    console.error(`${name}: stopping, and cleaning up (again to stop at once)`);
    // Work in progress fails when its daemons disappear.
    process.on("uncaughtException", () => {});
    await removeOwn().catch((error) => console.error(error));
    process.exit(code);
  };
  for (const name of signals) process.on(name, () => void stop(name));
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

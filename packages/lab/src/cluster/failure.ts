import { readFile, statfs } from "node:fs/promises";
import { LabError } from "../errors.ts";
import type { Daemon } from "../host/daemon.ts";
import type { Resource } from "../state/resource.ts";

/** Why a daemon ended during start-up. */
export async function daemonFailure(resource: Resource, daemon: Daemon): Promise<LabError> {
  const words = await wordsOf(resource, daemon.name);
  const died = daemon.diedError(await daemon.exited);
  return (await knownFailure(daemon.name, resource, words, died)) ?? died;
}

/** Why a daemon of a running cluster has ended, from its last output; killed daemons have none. */
export async function unexpectedEnd(resource: Resource, name: string): Promise<LabError> {
  const words = await wordsOf(resource, name);
  const known = await knownFailure(name, resource, words);
  if (known) return known;
  const [said] = /^.*(\*\*\* Caught signal|FAILED ceph_assert|\bAborted\b).*$/m.exec(words) ?? [];
  const why = said?.trim() ?? "it was killed, or ended without a word";
  return new LabError("SIPHON_DAEMON_DIED", `${name} of the cluster ${resource.name} has ended: ${why}`, {
    hint: "is the machine short of memory (dmesg)? Use fewer OSDs, or --store bluestore",
  });
}

/** SIPHON_IN_USE (and retryable) for a taken port, SIPHON_NO_SPACE for a full disk; else undefined. */
export async function knownFailure(
  name: string,
  resource: Resource,
  words: string,
  cause?: unknown,
): Promise<LabError | undefined> {
  if (/Address already in use|\(98\)/.test(words)) {
    return new LabError("SIPHON_IN_USE", `${name} cannot listen: its port is taken`, {
      cause,
      retryable: true,
    });
  }
  const saysFull = /No space left on device|\(28\)|ENOSPC|levels of available (storage )?space/.test(words);
  if (saysFull || (await isFull(resource.dir))) {
    return new LabError("SIPHON_NO_SPACE", `${name} cannot go on: no space left in ${resource.dir}`, {
      cause,
      hint: "free some space, or choose another directory with --dir",
    });
  }
  return undefined;
}

/** On a full disk a daemon often cannot even write its error. */
async function isFull(dir: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize < 16 * 2 ** 20;
}

/** The end of a daemon's output and log. */
async function wordsOf(resource: Resource, name: string): Promise<string> {
  const texts = await Promise.all(
    ["out", "log"].map((kind) => readFile(resource.path(`${name}.${kind}`), "utf8").catch(() => "")),
  );
  return texts.map((text) => text.slice(-20_000)).join("\n");
}

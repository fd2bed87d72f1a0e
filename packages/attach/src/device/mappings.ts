import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deviceNumber } from "./kernel-device.ts";

/** An image that is a block device of this host, and the process that serves it. */
export interface DeviceMapping {
  readonly pid: number;
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  /** Its name, or `@` and its id. */
  readonly snapshot: string;
  /** `/dev/nbd0` */
  readonly device: string;
  /** Distinguishes its process from a later one with the same id. */
  readonly startTime: string;
}

/** Records the mapping of this process in `NAME.json`, named after its device. */
export async function recordMapping(
  directory: string,
  mapping: Omit<DeviceMapping, "pid" | "startTime">,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const { pid } = process;
  const recorded: DeviceMapping = { pid, ...mapping, startTime: (await startTime(pid)) ?? "" };
  const path = fileOf(directory, mapping.device);
  await writeFile(`${path}~${pid}`, `${JSON.stringify(recorded)}\n`, { mode: 0o644 });
  await rename(`${path}~${pid}`, path);
}

export async function forgetMapping(directory: string, device: string): Promise<void> {
  // If another process has taken the device over, the file is that process's.
  if ((await read(fileOf(directory, device)))?.pid === process.pid) await rm(fileOf(directory, device));
}

/** By device. Skips the files of processes that have ended, and files that are no mappings. */
export async function listMappings(directory: string): Promise<DeviceMapping[]> {
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => /^nbd\d+\.json$/.test(name));
  const recorded = await Promise.all(files.map((name) => read(join(directory, name))));
  const found = recorded.filter((each) => each !== undefined);
  const times = await Promise.all(found.map(({ pid }) => startTime(pid)));
  return found
    .filter(({ startTime }, i) => startTime === times[i])
    .toSorted((a, b) => deviceNumber(a.device) - deviceNumber(b.device));
}

async function read(path: string): Promise<DeviceMapping | undefined> {
  try {
    const recorded = JSON.parse(await readFile(path, "utf8")) as DeviceMapping;
    return Number.isInteger(recorded.pid) &&
      typeof recorded.startTime === "string" &&
      fileOf("", recorded.device) === path.slice(path.lastIndexOf("/") + 1)
      ? recorded
      : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(directory: string, device: string): string {
  return join(directory, `nbd${deviceNumber(device)}.json`);
}

/**
 * In the kernel's ticks since it started: field 22 of /proc/PID/stat, after the name, which may hold anything.
 * Undefined for a process that has ended, including a zombie whose parent does not reap it, as the first process of a
 * container may not.
 */
export async function startTime(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return /^[ZX]?$/.test(fields[0]!) ? undefined : fields[19];
}

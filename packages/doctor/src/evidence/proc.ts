import { readdir, readFile, readlink } from "node:fs/promises";
import { isProgram } from "../inputs/qemu/arguments.ts";

/** A process that runs a VM. */
export interface QemuProcess {
  pid: number;
  /** As /proc holds it: words that end with NUL. */
  commandLine: string;
}

/** A value that could be read, or the reason why it could not. */
export type Seen<Value> = { value: Value } | { unseen: string };

/** All QEMU processes of this host, those of other users too. */
export async function qemuProcesses(proc = "/proc"): Promise<QemuProcess[]> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => "");
      const program = commandLine.slice(0, Math.max(0, commandLine.indexOf("\0")));
      return isProgram(program) ? [{ pid: Number(pid), commandLine }] : [];
    }),
  );
  return found.flat().sort((a, b) => a.pid - b.pid);
}

/** The command line of one process; undefined if it is no QEMU, or has ended. */
export async function qemuProcess(pid: number, proc = "/proc"): Promise<QemuProcess | undefined> {
  const commandLine = await readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => "");
  const program = commandLine.slice(0, Math.max(0, commandLine.indexOf("\0")));
  return isProgram(program) ? { pid, commandLine } : undefined;
}

/** A file of /proc, or why it cannot be read: the process is another user's, or has ended. */
export async function readProc(path: string, what: string): Promise<Seen<string>> {
  try {
    return { value: await readFile(path, "utf8") };
  } catch (error) {
    return { unseen: `${what}: ${reasonOf(error)}` };
  }
}

/** What tells a process from another one that has its pid later, or from another program in the same process. */
export async function identityOf(pid: number, proc = "/proc"): Promise<string | undefined> {
  const [stat, commandLine] = await Promise.all([
    readFile(`${proc}/${pid}/stat`, "utf8").catch(() => undefined),
    readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => ""),
  ]);
  // What has ended and was not waited for has no command line.
  if (stat === undefined || commandLine === "") return undefined;
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${started} ${commandLine}`;
}

export async function readLink(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM")
    return "it is another user's process; run siphon as root to see it";
  if (code === "ENOENT" || code === "ESRCH") return "the process has ended";
  return String(code ?? error);
}

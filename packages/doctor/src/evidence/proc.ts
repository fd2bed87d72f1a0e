import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { isProgram } from "../inputs/qemu/arguments.ts";

/** A process that runs a VM. */
export interface QemuProcess {
  pid: number;
  /** The text of /proc/PID/cmdline: words that end with NUL. */
  commandLine: string;
}

/** A value that could be read, or the reason why it could not. */
export type Seen<Value> = { value: Value } | { unseen: string };

/** All QEMU processes of this host, including other users'. */
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

/** The command line of one process; undefined if it is not QEMU, or has ended. */
export async function qemuProcess(pid: number, proc = "/proc"): Promise<QemuProcess | undefined> {
  const commandLine = await readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => "");
  const program = commandLine.slice(0, Math.max(0, commandLine.indexOf("\0")));
  return isProgram(program) ? { pid, commandLine } : undefined;
}

/** Reads a file of /proc, or says why it cannot: the process belongs to another user, or has ended. */
export async function readProc(path: string, what: string): Promise<Seen<string>> {
  try {
    return { value: await readFile(path, "utf8") };
  } catch (error) {
    return { unseen: `${what}: ${reasonOf(error)}` };
  }
}

/** Identifies a process across reuse of its pid and across exec. */
export async function identityOf(pid: number, proc = "/proc"): Promise<string | undefined> {
  const [stat, commandLine] = await Promise.all([
    readFile(`${proc}/${pid}/stat`, "utf8").catch(() => undefined),
    readFile(`${proc}/${pid}/cmdline`, "utf8").catch(() => ""),
  ]);
  // A zombie has no command line.
  if (stat === undefined || commandLine === "") return undefined;
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${started} ${commandLine}`;
}

/**
 * A path to a process's file or socket that works from here: the process may have another root directory (a container), and a relative
 * path is relative to its working directory. Only root and the process's user can follow the path.
 */
export async function pathOf(pid: number, path: string, proc = "/proc"): Promise<string> {
  const inside = join(`${proc}/${pid}`, isAbsolute(path) ? "root" : "cwd", path);
  return (await stat(inside).catch(() => undefined)) === undefined ? path : inside;
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

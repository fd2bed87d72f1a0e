import { access, constants, open } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";

/** A program of this host for a guest. */
export interface Program {
  path: string;
  /** The program and every shared object that it loads. */
  files: string[];
}

/** Debian packages whose names differ from the program's. */
const debianPackages: Record<string, string> = { "mkfs.xfs": "xfsprogs", busybox: "busybox-static" };

/**
 * Finds a program by its name or path, and its shared objects. Skips wrapper scripts in PATH, because their programs
 * are not in the guest.
 *
 * @throws LabError SIPHON_MISSING_PROGRAM
 */
export async function hostProgram(name: string): Promise<Program> {
  const path = await programFile(name);
  if (path === undefined) throw missing(name, debianPackages[name] ?? name);
  return { path, files: [path, ...(await sharedObjects(path))] };
}

async function programFile(name: string): Promise<string | undefined> {
  if (name.includes("/")) return (await isExecutable(name)) ? name : undefined;
  for (const directory of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    const path = join(directory, name);
    if (directory !== "" && (await isExecutable(path))) return path;
  }
  return undefined;
}

/** Whether an executable file is an ELF program. */
async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return bytesRead === 4 && buffer.toString("latin1") === "\x7fELF";
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

/** The path of a statically linked busybox; throws SIPHON_MISSING_PROGRAM. */
export async function staticBusybox(): Promise<string> {
  const { path, files } = await hostProgram("busybox");
  if (files.length > 1) throw missing("a static busybox", "busybox-static");
  return path;
}

/** The first line of `PROGRAM --version`. */
export async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ["--version"]);
  return stdout.trim().split("\n")[0];
}

async function sharedObjects(path: string): Promise<string[]> {
  const { stdout } = await run("ldd", [path], { anyExitCode: true });
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].map(([, file]) => file);
}

function missing(what: string, apt: string): LabError {
  return new LabError("SIPHON_MISSING_PROGRAM", `the small guest needs ${what}, which is not installed`, {
    hint: `Debian and Ubuntu: apt-get install ${apt}`,
  });
}

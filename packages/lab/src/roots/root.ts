import { closeSync, existsSync, openSync, readlinkSync, readSync, realpathSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { classDirectory } from "../cluster/class-directory.ts";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import { type Call, type CallOptions, filesOf, type Platform } from "../host/platform.ts";
import { cacheDir } from "../state/paths.ts";
import { examineContents, type RootContents, readContents } from "./contents.ts";
import { enterRoot } from "./enter.ts";
import { rootSource } from "./releases.ts";

/** Use of a root: daemons, Ceph's programs and fio's rbd engine; or QEMU with its rbd driver. */
export type RootUse = "ceph" | "qemu";

/**
 * A directory with the system files of a distribution, including another Ceph and QEMU than the host's. Its programs
 * see its /usr and /etc, and otherwise the host's files: see `enterRoot`.
 */
export class Root implements Platform {
  /** The name in the cache, or the directory of a root elsewhere. */
  readonly name: string;
  /** Absolute, without symbolic links. */
  readonly directory: string;

  private constructor(name: string, directory: string) {
    this.name = name;
    this.directory = directory;
  }

  /**
   * The root of that name (a suite or a release of Ceph), or in that directory (with a slash in it), with everything
   * that `uses` need.
   *
   * @throws LabError SIPHON_NOT_FOUND if there is none, SIPHON_USAGE for an unknown name, SIPHON_MISSING_PROGRAM for an
   * incomplete root or one for another processor, SIPHON_PERMISSION if this user may not enter it
   */
  static async find(nameOrDirectory: string, { uses = [] }: { uses?: RootUse[] } = {}): Promise<Root> {
    const root = nameOrDirectory.includes("/") ? Root.at(nameOrDirectory) : Root.named(nameOrDirectory);
    checkSystem(root);
    checkProcessor(root);
    for (const use of uses) checkUse(root, use);
    await checkEntry(root);
    return root;
  }

  /** The root in a directory, unchecked: it may have been removed. */
  static at(directory: string, name?: string): Root {
    const path = resolve(directory);
    const real = existsSync(path) ? realpathSync(path) : path;
    const inCache = dirname(real) === rootsDirectory();
    return new Root(name ?? (inCache ? basename(real) : path), real);
  }

  /** The root of that name in the cache, unchecked. */
  static named(asked: string): Root {
    const directory = join(rootsDirectory(), asked);
    if (existsSync(directory)) return Root.at(directory, asked);
    const { name } = rootSource(asked);
    if (existsSync(join(rootsDirectory(), name))) return Root.at(join(rootsDirectory(), name), name);
    throw new LabError("SIPHON_NOT_FOUND", `there is no root ${asked}`, {
      hint: `make it with: siphon root build ${asked}`,
    });
  }

  /** The roots in the cache, sorted by name. */
  static async list(): Promise<Root[]> {
    const parent = rootsDirectory();
    const names = existsSync(parent) ? await readdir(parent) : [];
    return names
      .filter((name) => !name.startsWith(".") && existsSync(join(parent, name, "usr", "bin", "env")))
      .sort()
      .map((name) => Root.at(join(parent, name), name));
  }

  command(program: string, args: readonly string[], options?: CallOptions): Call {
    if (!program.includes("/") && !this.has(program)) {
      throw new LabError("SIPHON_MISSING_PROGRAM", `the root ${this.name} has no program ${program}`, {
        hint: "siphon root list shows what roots have",
      });
    }
    return enterRoot(this.directory, program, args, options);
  }

  /** Whether it has a program of that name. */
  has(program: string): boolean {
    return ["bin", "sbin"].some((directory) => existsSync(this.file(`/usr/${directory}/${program}`)));
  }

  file(path: string): string {
    return throughLinks(this.directory, path);
  }

  /** Contents of the root, from its record, or from its programs. */
  async contents(): Promise<RootContents> {
    return readContents(this.directory) ?? (await examineContents(this));
  }
}

/** Directory of roots that were built without a given directory. */
export function rootsDirectory(): string {
  return join(cacheDir(), "roots");
}

/** Follows symbolic links as a program inside the root would: absolute ones start at the root. */
function throughLinks(root: string, path: string): string {
  let at = root;
  const parts = path.split("/").filter(Boolean);
  for (let hops = 0; parts.length > 0; ) {
    const part = parts.shift()!;
    if (part === "..") at = at === root ? root : join(at, "..");
    else {
      const next = join(at, part);
      const link = linkAt(next);
      if (link === undefined || ++hops > 40) at = next;
      else {
        parts.unshift(...link.split("/").filter((each) => each && each !== "."));
        if (link.startsWith("/")) at = root;
      }
    }
  }
  return at;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function checkSystem({ directory }: Root): void {
  if (existsSync(join(directory, "usr", "bin", "env")) && existsSync(join(directory, "proc"))) return;
  throw new LabError("SIPHON_NOT_FOUND", `${directory} is not the root directory of a system`, {
    hint: "make one with: siphon root build trixie",
  });
}

const programsFor: Record<RootUse, string[]> = {
  ceph: ["ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool", "ceph", "rbd", "rados"],
  qemu: ["qemu-system-x86_64", "qemu-img"],
};

const called: Record<RootUse, string> = { ceph: "Ceph", qemu: "QEMU" };

function checkUse(root: Root, use: RootUse): void {
  const wanted = programsFor[use];
  const lacking = wanted.filter((program) => !root.has(program));
  if (use === "qemu" && lacking.length === 0 && !hasRbdDriver(root)) lacking.push("its rbd driver");
  if (use === "ceph" && lacking.length === 0 && classDirectory(root) === undefined)
    lacking.push("the OSDs' class rbd");
  if (lacking.length === 0) return;
  const [none] = lacking.length === wanted.length ? [true] : [];
  const why = none
    ? `has no ${called[use]}`
    : `has only a part of ${called[use]}: it lacks ${lacking.join(", ")}`;
  throw new LabError("SIPHON_MISSING_PROGRAM", `the root ${root.name} ${why}`, {
    hint: "make one that has all of it with: siphon root build trixie",
  });
}

function hasRbdDriver(root: Root): boolean {
  const directories = [
    "/usr/lib/*-linux-gnu/qemu",
    "/usr/lib64/qemu-kvm",
    "/usr/lib64/qemu",
    "/usr/lib/qemu",
  ];
  return (
    filesOf(
      root,
      directories.map((directory) => `${directory}/block-rbd.so`),
    ).length > 0
  );
}

/** Values of e_machine in an ELF header. */
const machines: Record<number, string> = {
  3: "i386",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
};
const ours: Record<string, string> = {
  x64: "x86_64",
  arm64: "aarch64",
  ia32: "i386",
  s390x: "s390x",
  ppc64: "ppc64",
  riscv64: "riscv64",
};

function checkProcessor(root: Root): void {
  const file = root.file("/usr/bin/env");
  const header = Buffer.alloc(20);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return;
  const fd = openSync(file, "r");
  try {
    readSync(fd, header, 0, 20, 0);
  } finally {
    closeSync(fd);
  }
  const theirs = header.toString("latin1", 0, 4) === "\x7fELF" ? header.readUInt16LE(18) : 0;
  const machine = ours[process.arch];
  if (machines[theirs] === machine) return;
  throw new LabError(
    "SIPHON_MISSING_PROGRAM",
    `the root ${root.name} is for the processor ${machines[theirs] ?? `of ELF machine ${theirs}`}, and this machine is ${machine}`,
    { hint: "make one for this machine with: siphon root build trixie" },
  );
}

/** Checks that this user may create the mount namespace, and that the root's programs run in it. */
async function checkEntry(root: Root): Promise<void> {
  const { exitCode, stderr } = await run("true", [], { from: root, anyExitCode: true });
  if (exitCode === 0) return;
  throw new LabError("SIPHON_PERMISSION", `cannot run programs of the root ${root.name}: ${stderr.trim()}`, {
    hint: "it takes root, or user namespaces that this user may make (unshare --user --mount)",
  });
}

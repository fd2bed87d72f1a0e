import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { LabError } from "../errors.ts";
import { run } from "../host/command.ts";
import type { CpioEntry } from "./cpio.ts";
import type { GuestKernel } from "./kernel.ts";
import { filter } from "./vmlinux.ts";

export interface ModuleChoice {
  /** Required modules, available or built into the kernel. */
  needed: string[];
  /** Optional modules. */
  wanted: string[];
  /** A busybox with the depmod applet. */
  busybox: string;
}

/** /lib/modules/VERSION for a guest: the chosen modules, their dependencies, and modprobe's indexes. */
export async function moduleTree(kernel: GuestKernel, choice: ModuleChoice): Promise<CpioEntry[]> {
  const { modules, missing } = await withDependencies(kernel.modules, [...choice.needed, ...choice.wanted]);
  const lacking = choice.needed.filter((name) => missing.includes(name));
  if (lacking.length > 0) {
    throw new LabError("SIPHON_GUEST", `kernel ${kernel.version} has no ${lacking.join(" and no ")}`);
  }
  const root = await mkdtemp(join(tmpdir(), "siphon-modules-"));
  try {
    const tree = join(root, "lib/modules", kernel.version);
    await mkdir(tree, { recursive: true });
    for (const { path, data } of modules) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), data);
    }
    await run(choice.busybox, ["depmod", "-b", root, kernel.version]);
    const files = [...modules.map(({ path }) => path), "modules.dep", "modules.alias"];
    return await Promise.all(
      files.map(async (path) => ({
        type: "file" as const,
        path: join("/lib/modules", kernel.version, path),
        data: await readFile(join(tree, path)),
      })),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A kernel module, unpacked. */
interface KernelModule {
  /** Relative to the modules' directory, without the suffix of a compression: `kernel/fs/xfs/xfs.ko`. */
  path: string;
  data: Buffer;
}

/** The modules `names` and their dependencies; `missing` are neither available nor built in. */
async function withDependencies(
  directory: string,
  names: string[],
): Promise<{ modules: KernelModule[]; missing: string[] }> {
  const files = await moduleFiles(directory);
  const builtIn = await builtInModules(directory);
  const modules = new Map<string, KernelModule>();
  const missing: string[] = [];
  const wanted = [...names];
  for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
    const file = files.get(canonical(name));
    if (modules.has(canonical(name)) || (!file && builtIn.has(canonical(name)))) continue;
    if (!file) {
      missing.push(name);
      continue;
    }
    const data = await unpacked(join(directory, file), file);
    modules.set(canonical(name), { path: file.replace(/\.(xz|zst)$/, ""), data });
    wanted.push(...dependencies(data));
  }
  return { modules: [...modules.values()], missing };
}

/** Module names do not distinguish `-` and `_`. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}

function moduleName(file: string): string {
  return canonical(basename(file).replace(/\.ko(\.\w+)?$/, ""));
}

async function moduleFiles(directory: string): Promise<Map<string, string>> {
  const files = await readdir(join(directory, "kernel"), { recursive: true });
  const modules = files.filter((file) => /\.ko(\.\w+)?$/.test(file));
  return new Map(modules.map((file) => [moduleName(file), join("kernel", file)]));
}

async function builtInModules(directory: string): Promise<Set<string>> {
  const list = join(directory, "modules.builtin");
  if (!existsSync(list)) return new Set();
  return new Set((await readFile(list, "utf8")).split("\n").map(moduleName));
}

async function unpacked(path: string, file: string): Promise<Buffer> {
  const data = await readFile(path);
  if (file.endsWith(".xz")) return filter("xz", ["-dc"], data);
  return file.endsWith(".zst") ? zstdDecompressSync(data) : data;
}

/** The `depends=a,b` entry of the .modinfo section, whose entries end with NUL. */
function dependencies(module: Buffer): string[] {
  const start = module.indexOf("\0depends=") + 9;
  if (start < 9) return [];
  const list = module.toString("latin1", start, module.indexOf(0, start));
  return list.split(",").filter(Boolean);
}

import { constants, existsSync } from "node:fs";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { run, which } from "../host/command.ts";
import { cached } from "../state/cache.ts";
import { cacheDir } from "../state/paths.ts";

/** A kernel for guests: its bzImage and its modules. */
export interface GuestKernel {
  /** `6.1.0-56-cloud-amd64` */
  version: string;
  /** Where it came from, for the report. */
  source: string;
  bzImage: string;
  /** The /lib/modules/VERSION directory. */
  modules: string;
}

/**
 * The kernel that guests boot. On a Debian family system a packaged one, small and made for VMs, is
 * downloaded and unpacked into the cache (nothing is installed); elsewhere, or without a network, one that is
 * installed on this host. Once in the cache it stays the same until the cache is removed.
 */
export async function guestKernel(): Promise<GuestKernel> {
  const known = await cachedKernel();
  if (known) return known;
  let reason: unknown;
  if (await which("apt-get")) {
    try {
      return await downloadedKernel();
    } catch (error) {
      reason = error;
    }
  }
  const installed = await installedKernel();
  if (installed) return installed;
  throw new LabError(
    "SIPHON_GUEST",
    "no kernel for the small guest: none in /boot that can be read, none downloaded",
    {
      cause: reason,
      hint: "give access to a Debian or Ubuntu mirror (apt-get download), or install a kernel package on this host",
    },
  );
}

async function cachedKernel(): Promise<GuestKernel | undefined> {
  const parent = join(cacheDir(), "kernels");
  const names = existsSync(parent) ? await readdir(parent) : [];
  const [name] = names.filter((each) => !each.startsWith(".")).sort();
  return name === undefined ? undefined : kernelIn(join(parent, name), `package ${name}`);
}

/** Debian's kernel for VMs, and the smallest ones of Ubuntu. */
const packages = ["linux-image-cloud-amd64", "linux-image-virtual", "linux-image-generic"];

async function downloadedKernel(): Promise<GuestKernel> {
  let failure: unknown;
  for (const name of packages) {
    try {
      const files = await packagesOf(name);
      const key = files.at(0)!;
      const directory = await cached("kernels", key, (dir) => unpackPackages(files, dir));
      return await kernelIn(directory, `package ${key}`);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The real packages behind a kernel's meta package: Ubuntu keeps the modules in one of their own. */
async function packagesOf(metaPackage: string): Promise<string[]> {
  const { stdout } = await run("apt-cache", ["depends", "--important", metaPackage]);
  const direct = [...stdout.matchAll(/Depends: (linux-(?:image|modules)-\d\S*)/g)].map(([, name]) => name);
  const image = direct.find((name) => name.startsWith("linux-image-"));
  if (!image) throw new LabError("SIPHON_NOT_FOUND", `the package lists hold no kernel for ${metaPackage}`);
  const { stdout: more } = await run("apt-cache", ["depends", "--important", image]);
  const modules = [...more.matchAll(/Depends: (linux-modules-\d\S*)/g)].map(([, name]) => name);
  return [...new Set([image, ...modules])];
}

async function unpackPackages(names: string[], directory: string): Promise<void> {
  const download = join(directory, "download");
  await mkdir(download);
  await run("apt-get", ["download", ...names], { cwd: download, timeoutMs: 600_000 });
  for (const file of await readdir(download)) {
    await run("dpkg-deb", ["-x", file, "root"], { cwd: download, timeoutMs: 120_000 });
  }
  const root = join(download, "root");
  const lib = existsSync(join(root, "usr/lib/modules")) ? "usr/lib/modules" : "lib/modules";
  await rename(join(root, "boot"), join(directory, "boot"));
  await rename(join(root, lib), join(directory, "modules"));
  await rm(download, { recursive: true });
}

async function kernelIn(directory: string, source: string): Promise<GuestKernel> {
  const [version] = await readdir(join(directory, "modules"));
  return {
    version,
    source,
    bzImage: join(directory, "boot", `vmlinuz-${version}`),
    modules: join(directory, "modules", version),
  };
}

/** The running kernel if its image can be read, else any other that has its modules. */
async function installedKernel(): Promise<GuestKernel | undefined> {
  const versions = existsSync("/lib/modules") ? await readdir("/lib/modules") : [];
  versions.sort((a, b) => Number(b === release()) - Number(a === release()));
  for (const version of versions) {
    const modules = join("/lib/modules", version);
    for (const bzImage of [`/boot/vmlinuz-${version}`, join(modules, "vmlinuz")]) {
      const readable = await access(bzImage, constants.R_OK).then(
        () => true,
        () => false,
      );
      if (readable && existsSync(join(modules, "kernel"))) {
        return { version, source: `installed here (${bzImage})`, bzImage, modules };
      }
    }
  }
  return undefined;
}

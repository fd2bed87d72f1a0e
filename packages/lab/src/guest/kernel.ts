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
  /** Its source, for the report. */
  source: string;
  bzImage: string;
  /** The /lib/modules/VERSION directory. */
  modules: string;
}

/**
 * The guests' kernel. On Debian and its derivatives, a small packaged kernel for VMs is downloaded and unpacked into
 * the cache (nothing is installed); elsewhere, or without a network, an installed kernel of this host. The cached
 * kernel stays until the cache is removed.
 */
export async function guestKernel(signal?: AbortSignal): Promise<GuestKernel> {
  const known = await cachedKernel();
  if (known) return known;
  let reason: unknown;
  if (await which("apt-get")) {
    try {
      return await downloadedKernel(signal);
    } catch (error) {
      signal?.throwIfAborted();
      reason = error;
    }
  }
  const installed = await installedKernel();
  if (installed) return installed;
  const why = reason instanceof Error ? ` (${reason.message})` : "";
  throw new LabError(
    "SIPHON_GUEST",
    `no kernel for the small guest: none that can be read in /boot, and none downloaded${why}`,
    {
      cause: reason,
      hint: "run apt-get update with access to a mirror, or install a kernel package on this host",
    },
  );
}

async function cachedKernel(): Promise<GuestKernel | undefined> {
  const parent = join(cacheDir(), "kernels");
  const names = existsSync(parent) ? await readdir(parent) : [];
  const [name] = names.filter((each) => !each.startsWith(".")).sort();
  return name === undefined ? undefined : kernelIn(join(parent, name), `package ${name}`);
}

async function downloadedKernel(signal?: AbortSignal): Promise<GuestKernel> {
  const names = await kernelPackages();
  const [image] = names;
  const directory = await cached("kernels", image, (dir) => unpackPackages(names, dir, signal));
  return kernelIn(directory, `package ${image}`);
}

/** Debian's kernel for VMs, and the smallest ones of Ubuntu. */
const metaPackages = ["linux-image-cloud-amd64", "linux-image-virtual", "linux-image-generic"];

/**
 * The packages of the first available kernel: its image, and the extra packages of Ubuntu (modules) and Debian since 14
 * (base, binary, modules).
 */
async function kernelPackages(): Promise<string[]> {
  for (const metaPackage of metaPackages) {
    const [image] = await dependencies(metaPackage, /^linux-image-\d/);
    if (image) return [image, ...(await dependencies(image, /^linux-(base|binary|modules)-\d/))];
  }
  throw new LabError("SIPHON_NOT_FOUND", `the package lists have none of ${metaPackages.join(", ")}`, {
    hint: "refresh the package lists: apt-get update",
  });
}

async function dependencies(name: string, wanted: RegExp): Promise<string[]> {
  const { stdout } = await run("apt-cache", ["depends", "--important", name], { anyExitCode: true });
  const names = [...stdout.matchAll(/Depends: (\S+)/g)].map(([, dependency]) => dependency);
  return names.filter((each) => wanted.test(each));
}

async function unpackPackages(names: string[], directory: string, signal?: AbortSignal): Promise<void> {
  const download = join(directory, "download");
  await mkdir(download);
  await run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", ...names], {
    cwd: download,
    timeoutMs: 600_000,
    signal,
  });
  for (const file of await readdir(download)) {
    await run("dpkg-deb", ["-x", file, "root"], { cwd: download, timeoutMs: 120_000, signal });
  }
  const root = join(download, "root");
  const lib = existsSync(join(root, "usr/lib/modules")) ? "usr/lib/modules" : "lib/modules";
  await rename(join(root, lib), join(directory, "modules"));
  if (existsSync(join(root, "boot"))) await rename(join(root, "boot"), join(directory, "boot"));
  await rm(download, { recursive: true });
}

/** A kernel from unpacked packages; its image is in boot, or (since Debian 14) with the modules. */
export async function kernelIn(directory: string, source: string): Promise<GuestKernel> {
  const [version] = await readdir(join(directory, "modules"));
  const modules = join(directory, "modules", version);
  const images = [join(directory, "boot", `vmlinuz-${version}`), join(modules, "vmlinuz")];
  const bzImage = images.find((image) => existsSync(image));
  if (bzImage !== undefined) return { version, source, bzImage, modules };
  throw new LabError("SIPHON_GUEST", `${source} has no image of its kernel ${version}`, {
    hint: `remove ${directory}, so that it is made again`,
  });
}

/** The running kernel if its image is readable, otherwise any other with modules. */
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

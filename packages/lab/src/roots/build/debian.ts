import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../../errors.ts";
import { aptOptions, findArchive } from "../../guest/debian/archive.ts";
import { explained, type Privilege } from "../../guest/debian/root-file-system.ts";
import { stage } from "../../guest/debian/stage.ts";
import type { BuildContext } from "./context.ts";

/** Packages of a root: daemons, clients of Ceph, QEMU, fio, allocators. */
const packages = [
  ...[
    "ceph-mon",
    "ceph-mgr",
    "ceph-osd",
    "ceph-base",
    "ceph-common",
    "ceph-test",
    "python3-rbd",
    "python3-rados",
  ],
  ...["qemu-system-x86", "qemu-block-extra", "qemu-utils", "fio"],
  ...["libgoogle-perftools4", "libjemalloc2"],
];

/** Packages of `--with libvirt`. */
const libvirt = ["libvirt-daemon-system", "libvirt-clients"];

/** Fills an empty directory with a Debian suite by mmdebstrap(1); returns the source. */
export async function buildDebian(
  directory: string,
  { suite, mirror, withLibvirt }: { suite: string; mirror?: string; withLibvirt: boolean },
  privilege: Privilege,
  { environment, signal, onProgress }: BuildContext,
): Promise<string> {
  const { sources } = await findArchive({ suite, mirror });
  // In a user namespace files would belong to other ids: unpacked from a tar they all belong to this user.
  const tarFile = join(directory, "root.tar");
  const args = [
    `--mode=${privilege}`,
    `--format=${privilege === "root" ? "directory" : "tar"}`,
    "--variant=apt",
    `--include=${[...packages, ...(withLibvirt ? libvirt : [])].join(",")}`,
    ...aptOptions,
    ...["doc", "man", "info", "locale"].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
    suite,
    privilege === "root" ? directory : tarFile,
    ...sources,
  ];
  // ceph-mon's package script calls systemd, which is missing.
  const env = { ...environment, SYSTEMD_OFFLINE: "1" };
  const onLine = (line: string) => {
    const [, doing] = /^I: (\w+ing .+?)(?:\.\.\.)?$/.exec(line) ?? [];
    if (doing) onProgress(doing);
  };
  try {
    await stage("mmdebstrap", args, { env, signal, onLine });
  } catch (cause) {
    signal?.throwIfAborted();
    throw asUnknownSuite(cause, suite) ?? explained(cause, `the root ${suite}`, sources);
  }
  if (privilege !== "root") {
    const unpack = ["-x", "--no-same-owner", "--exclude=./dev/*", "-f", tarFile, "-C", directory];
    await stage("tar", unpack, { env, signal });
    await rm(tarFile);
  }
  return `Debian ${suite}, ${sources.map((line) => line.split(" ")[1]).join(", ")}`;
}

function asUnknownSuite(cause: unknown, suite: string): LabError | undefined {
  if (!(cause instanceof LabError) || !/does not have a Release file|404/.test(cause.message))
    return undefined;
  return new LabError("SIPHON_NOT_FOUND", `the mirror has no suite ${suite}: ${cause.message}`, {
    cause,
    hint: "name a mirror that has it: --mirror URL",
  });
}

import type { Account } from "./accounts.ts";
import { type AttachPoint, libvirtXml, qemuArguments, qemuVersions } from "./connect-hints.ts";
import { libvirtUser, libvirtVersion, obstacleTo } from "./libvirt.ts";
import { hostQemuVersion, type QemuVersions } from "./qemu-version.ts";

/** Settings of a VM that uses the disk. */
export interface HowToConnect {
  readonly qemu: readonly string[];
  /** The QEMU versions that accept these arguments. */
  readonly qemuVersions: QemuVersions;
  readonly libvirt: string;
  /** Why libvirt's QEMU cannot connect, and what to do. */
  readonly libvirtHint: string | undefined;
  /** The user who must own the socket so that libvirt's QEMU can open it; undefined if the owner is not the problem. */
  readonly wantedSocketUser: string | undefined;
}

/** Versions and users of the programs that start VMs on this host. */
export interface VmHost {
  readonly qemuVersion: string | undefined;
  /** The user as whom libvirt runs QEMU; undefined without libvirt. */
  readonly libvirtUser: Account | undefined;
  readonly libvirtVersion?: string | undefined;
}

export async function thisVmHost(): Promise<VmHost> {
  const [qemuVersion, user, version] = await Promise.all([
    hostQemuVersion(),
    libvirtUser(),
    libvirtVersion(),
  ]);
  return { qemuVersion, libvirtUser: user, libvirtVersion: version };
}

/** @param id prefix of QEMU's object names; unique for each disk of a VM */
export function howToConnect(point: AttachPoint, id: string, host: VmHost): HowToConnect {
  const { qemuVersion, libvirtUser: user } = host;
  const path = point.kind === "vhost" ? point.path : "path" in point.address ? point.address.path : undefined;
  const obstacle = path === undefined || user === undefined ? undefined : obstacleTo(path, user);
  return {
    qemu: qemuArguments(point, id, qemuVersion),
    qemuVersions: qemuVersions(point, qemuVersion),
    libvirt: libvirtXml(point, { isClosed: obstacle !== undefined, version: host.libvirtVersion }),
    libvirtHint: obstacle === undefined ? undefined : hintAbout(obstacle, obstacle === path, user!.name),
    wantedSocketUser: obstacle !== undefined && obstacle === path ? user!.name : undefined,
  };
}

function hintAbout(obstacle: string, isSocket: boolean, user: string): string {
  const closed = `libvirt runs QEMU as the user ${user}, who may not ${isSocket ? "open" : "enter"} ${obstacle}`;
  return isSocket
    ? `${closed}: make ${user} the owner of the socket`
    : `${closed}: put the socket into a directory that ${user} may enter, such as one in /run`;
}

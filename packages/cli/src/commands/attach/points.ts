import {
  type AttachPoint,
  howToConnect,
  type ServedPoint,
  shellLine,
  type VmHost,
  versionsText,
} from "@siphon/attach";
import { bytesText } from "../rados/format.ts";

/** The images' addresses, for programs. */
export function pointsOf(points: readonly ServedPoint[], host: VmHost) {
  return points.map(({ image, size, point }, i) => ({
    ...{ image, size, ...point },
    ...instruction(point, i, host),
  }));
}

/** How VMs reach images, as text. */
export function instructions(points: readonly ServedPoint[], host: VmHost): string {
  const here = host.qemuVersion === undefined ? "" : `; this host has ${host.qemuVersion}`;
  return points
    .map(({ image, size, point }, i) => {
      const access = point.readOnly ? ", read-only" : "";
      const { qemu, qemuVersions, libvirt, libvirtHint } = instruction(point, i, host);
      return `${image} (${bytesText(size)}${access}) over ${point.kind}

${versionsText(qemuVersions)}${here}:
${shellLine(qemu)}

libvirt:
${libvirtHint === undefined ? "" : `${libvirtHint}\n`}${libvirt}

`;
    })
    .join("");
}

function instruction(point: AttachPoint, disk: number, host: VmHost) {
  const { wantedSocketUser, libvirtHint, ...rest } = howToConnect(point, `siphon${disk}`, host);
  const flag = wantedSocketUser === undefined ? "" : ` (--socket-user ${wantedSocketUser})`;
  return { ...rest, libvirtHint: libvirtHint && `${libvirtHint}${flag}` };
}

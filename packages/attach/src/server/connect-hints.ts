import type { ListenAddress } from "./listen.ts";
import { firstQemu, isBefore, type QemuVersions, reconnectOption, versionsAlike } from "./qemu-version.ts";

/** How a VM reaches a served disk. */
export type AttachPoint = { readonly readOnly: boolean } & (
  | {
      readonly kind: "nbd";
      readonly address: ListenAddress;
      readonly exportName: string;
      readonly tls: boolean;
    }
  | { readonly kind: "vhost"; readonly path: string; readonly queues: number | undefined }
);

/**
 * QEMU's arguments for the disk.
 *
 * @param id prefix of QEMU's object names; unique for each disk of a VM
 * @param version of QEMU; undefined: the newest
 */
export function qemuArguments(point: AttachPoint, id: string, version: string | undefined): string[] {
  if (point.kind === "vhost") {
    const [reconnect] = Object.entries(reconnectOption(version)).map((pair) => pair.join("="));
    const queues = point.queues === undefined ? "" : `,num-queues=${point.queues}`;
    return [
      // The guest's memory must be shared with the server. SIZE is the VM's -m.
      ...["-object", `memory-backend-memfd,id=${id}-memory,size=SIZE,share=on`],
      ...["-numa", `node,memdev=${id}-memory`],
      ...["-chardev", `socket,id=${id},path=${escaped(point.path)},${reconnect}`],
      ...["-device", `vhost-user-blk-pci,chardev=${id}${queues}`],
    ];
  }
  const { address, exportName, readOnly, tls } = point;
  const server =
    "path" in address
      ? { type: "unix", path: address.path }
      : { type: "inet", host: address.host, port: String(address.port) };
  const blockdev = {
    ...{ driver: "nbd", "node-name": id, server, export: exportName },
    ...(tls && { "tls-creds": `${id}-tls` }),
    ...{ "reconnect-delay": reconnectDelay, "read-only": readOnly, discard: "unmap" },
    cache: { direct: true, "no-flush": false },
  };
  return [
    ...(tls ? ["-object", `tls-creds-x509,id=${id}-tls,dir=CERTIFICATES,endpoint=client`] : []),
    ...["-blockdev", JSON.stringify(blockdev)],
    ...["-device", `virtio-blk-pci,drive=${id}`],
  ];
}

/** The versions of QEMU that accept the arguments for one version. */
export function qemuVersions(point: AttachPoint, version: string | undefined): QemuVersions {
  return point.kind === "vhost" ? versionsAlike(version) : { from: firstQemu };
}

/** What is known about the host's libvirt. */
export interface LibvirtHost {
  /**
   * The user as whom libvirt runs QEMU cannot open the socket. QEMU must then fail at once: retries would make `virsh
   * start` hang without a message.
   */
  readonly isClosed?: boolean;
  /** Undefined: the newest. */
  readonly version?: string | undefined;
}

/** libvirt's XML for the disk; a comment says what else the domain needs. */
export function libvirtXml(point: AttachPoint, { isClosed = false, version }: LibvirtHost = {}): string {
  const readOnly = point.readOnly ? "\n  <readonly/>" : "";
  if (point.kind === "vhost") {
    const queues = point.queues === undefined ? "" : ` queues='${point.queues}'`;
    const reconnect = isClosed
      ? "<!-- no <reconnect/>: libvirt's QEMU may not open the socket, and would try for ever -->"
      : "<reconnect enabled='yes' timeout='1'/>";
    return `<!-- in the domain: <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking> -->
<disk type='vhostuser' device='disk'>
  <driver name='qemu' type='raw'${queues}/>
  <source type='unix' path='${quoted(point.path)}'>
    ${reconnect}
  </source>
  <target dev='vda' bus='virtio'/>${readOnly}
</disk>`;
  }
  const { address, exportName, tls } = point;
  const host =
    "path" in address
      ? `<host transport='unix' socket='${quoted(address.path)}'/>`
      : `<host name='${quoted(address.host)}' port='${address.port}'/>`;
  const ignored = `<!-- libvirt ${version} ignores the next line: the guest's I/O fails while no server runs. Over vhost-user-blk it waits. -->
    `;
  return `<disk type='network' device='disk'>
  <driver name='qemu' type='raw' cache='none' discard='unmap'/>
  <source protocol='nbd' name='${quoted(exportName)}'${tls ? " tls='yes'" : ""}>
    ${host}
    ${isBefore(version, firstWithDelay) ? ignored : ""}<reconnect delay='${reconnectDelay}'/>
  </source>
  <target dev='vda' bus='virtio'/>${readOnly}
</disk>`;
}

/** Words quoted for a shell. */
export function shellLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

/** Seconds for which QEMU holds requests while the server restarts. */
const reconnectDelay = 60;
/** The first libvirt that gives QEMU the `delay` of an NBD disk; 9.0 ignores it silently. */
const firstWithDelay = "9.1";

/** A value within QEMU's comma-separated options. */
function escaped(value: string): string {
  return value.replaceAll(",", ",,");
}

function quoted(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");
}

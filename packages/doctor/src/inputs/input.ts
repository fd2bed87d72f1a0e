/** A text to examine, under the name that findings give it. */
export interface InputFile {
  /** A path, or a word for what has none: `standard input`, `/proc/4711/cmdline`. */
  name: string;
  text: string;
}

export type Format =
  | "qemu"
  | "qemu-config"
  | "libvirt"
  | "libvirt-pool"
  | "proxmox"
  | "proxmox-storage"
  | "proxmox-version"
  | "kubernetes"
  | "nova"
  | "cinder"
  | "kolla"
  | "ansible"
  | "incus"
  | "incus-storage"
  | "opennebula"
  | "spdk"
  | "nvmeof"
  | "ceph-conf"
  | "rbd-info"
  | "rbd-map"
  | "maps"
  | "packages"
  | "versions"
  | "release";

export interface RecognisedFile extends InputFile {
  format: Format;
}

/** A text to examine, and the name that findings use for it. */
export interface InputFile {
  /** A path, or a description such as `standard input`. */
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

import { createHash } from "node:crypto";
import { type Archive, aptOptions } from "./archive.ts";

/** The inputs of a guest image; equal recipes make interchangeable images. */
export interface Recipe {
  archive: Archive;
  /** Bytes of the disk. */
  size: number;
  /** Public key for root over ssh. */
  publicKey: string;
}

/** Label of the root file system, by which kernel and boot loader find it on any disk. */
export const ROOT_LABEL = "siphon-root";

/** Parameters that the guest's kernel needs, however it is booted. */
export const ROOT_PARAMETERS = `root=LABEL=${ROOT_LABEL} ro net.ifnames=0`;

/** Kernel parameters of its own boot loader; ttyS0 is where QEMU's `-serial` listens. */
const COMMAND_LINE = `${ROOT_PARAMETERS} console=ttyS0 mitigations=off quiet`;

/** The packages of a guest besides Debian's minimal base. */
const PACKAGES = [
  "linux-image-cloud-amd64",
  "initramfs-tools",
  "zstd",
  "systemd-sysv",
  "udev",
  "dbus",
  "kmod",
  "iproute2",
  // The minimal base has none since Debian 13.
  "e2fsprogs",
  "openssh-server",
  "qemu-guest-agent",
  "xfsprogs",
  "fio",
  // Only grub-mkimage and its modules are needed; no GRUB program runs in the guest.
  "grub-common",
  "grub-pc-bin",
];

/** Identifies the recipe, including the steps below, in twelve hexadecimal digits. */
export function recipeHash(recipe: Recipe): string {
  const steps = [recipe.size, mmdebstrapArguments(recipe, "guest.tar")];
  return createHash("sha256").update(JSON.stringify(steps)).digest("hex").slice(0, 12);
}

/** Arguments of mmdebstrap(1) that write the guest's whole root file system to a tar file. */
export function mmdebstrapArguments(recipe: Recipe, tarFile: string): string[] {
  const { suite, sources } = recipe.archive;
  return [
    "--variant=minbase",
    "--format=tar",
    // It would empty the machine id.
    "--skip=cleanup/reproducible",
    `--include=${PACKAGES.join(",")}`,
    ...aptOptions,
    ...["doc", "man", "info", "locale"].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
    `--essential-hook=${prepareScript}`,
    `--customize-hook=${customizeScript(recipe.publicKey)}`,
    suite,
    tarFile,
    ...sources,
  ];
}

/**
 * Shell, run by mmdebstrap before it installs PACKAGES, with the guest's root as `$1`. The initramfs has only drivers
 * of QEMU's disks, because it is read through the emulated BIOS, or unpacked by an emulated CPU.
 */
const prepareScript = `
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\\nCOMPRESS=zstd\\n' > "$1/etc/initramfs-tools/conf.d/siphon"
printf '%s\\n' virtio_pci virtio_blk virtio_scsi ata_piix ata_generic sd_mod \\
  > "$1/usr/share/initramfs-tools/modules.d/siphon"
`;

/** Shell, run by mmdebstrap when all packages are installed, with the guest's root as `$1`. */
function customizeScript(publicKey: string): string {
  return `
set -eu
cd "$1"
echo siphon-guest > etc/hostname
printf '127.0.0.1 localhost siphon-guest\\n' > etc/hosts
printf 'LABEL=${ROOT_LABEL} / ext4 noatime 0 1\\n' > etc/fstab
# The address that QEMU's user networking gives the first guest; waiting for DHCP would take seconds.
printf '[Match]\\nType=ether\\n\\n[Network]\\nAddress=10.0.2.15/24\\nGateway=10.0.2.2\\nLinkLocalAddressing=no\\n' \\
  > etc/systemd/network/10-siphon.network
printf 'nameserver 10.0.2.3\\n' > etc/resolv.conf
# Otherwise every boot would make one and write it down.
tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id
mkdir -p -m 0700 root/.ssh
echo '${publicKey}' > root/.ssh/authorized_keys
chmod 0600 root/.ssh/authorized_keys
printf 'PermitRootLogin prohibit-password\\nPasswordAuthentication no\\nUsePAM no\\nUseDNS no\\n' \\
  > etc/ssh/sshd_config.d/siphon.conf
chroot . systemctl --quiet set-default multi-user.target
chroot . systemctl --quiet enable systemd-networkd.service ssh.service
# Nothing may wake up while something is measured.
chroot . systemctl --quiet mask getty@tty1.service systemd-logind.service apt-daily.timer apt-daily-upgrade.timer \\
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer
mkdir -p boot/grub
cat > boot/grub/grub.cfg <<'END'
linux /vmlinuz ${COMMAND_LINE}
initrd /initrd.img
boot
END
printf 'set root=(hd0,msdos1)\\nconfigfile /boot/grub/grub.cfg\\n' > boot/grub/early.cfg
chroot . grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -c /boot/grub/early.cfg -o /boot/grub/core.img \\
  biosdisk part_msdos ext2 linux normal configfile
cp usr/lib/grub/i386-pc/boot.img boot/grub/boot.img
`;
}

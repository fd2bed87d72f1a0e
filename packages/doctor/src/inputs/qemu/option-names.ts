/** QEMU's options that take no argument (qemu-options.hx, 2.0 to 11.1); every other option takes one. */
export const flags: ReadonlySet<string> = new Set(
  `S s h help version nodefaults nodefconfig no-user-config daemonize enable-kvm no-kvm no-kvm-irqchip no-kvm-pit
  no-kvm-pit-reinjection snapshot nographic curses no-reboot no-shutdown no-hpet no-acpi usb full-screen portrait no-fd-bootchk
  singlestep preconfig only-migratable win2k-hack mem-prealloc old-param semihosting enable-fips no-quit no-frame alt-grab
  ctrl-grab enable-sync-profile xen-attach xen-create xen-domid-restrict tdf no-kvm-irqfd show-cursor`
    .split(/\s+/)
    .filter(Boolean),
);

/** QEMU's options that take one argument. */
export const valued: ReadonlySet<string> = new Set(
  `accel machine M cpu smp numa add-fd set readconfig writeconfig global boot m mem-path k audio audio-help audiodev soundhw
  device name uuid fda fdb hda hdb hdc hdd cdrom blockdev drive mtdblock sd fsdev virtfs iscsi usbdevice display vga g
  spice vnc netdev nic net chardev bt tpmdev bios pflash kernel shim append initrd dtb compat fw_cfg serial parallel
  monitor qmp qmp-pretty mon debugcon pidfile object smbios acpitable acpi tb-size incoming loadvm chroot runas user run-with
  sandbox msg overcommit realtime rtc icount watchdog watchdog-action action echr virtioconsole prom-env semihosting-config
  trace d D dfilter seed L perfmap jitdump plugin dump-vmstate L option-rom clock balloon drive-mirror qtest qtest-log
  async-teardown tftp smb redir hdachs t id no-qtest igd-passthru machine-path xen-domid`
    .split(/\s+/)
    .filter(Boolean),
);

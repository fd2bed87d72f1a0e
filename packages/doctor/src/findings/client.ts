import { isData } from "../model/disk.ts";
import type { Finding, Hit } from "./finding.ts";
import { published } from "./worth.ts";

export const clientFindings: readonly Finding[] = [
  {
    id: "mon-single",
    title: "One monitor address",
    severity: "low",
    when: "One monitor address is given to the disk, or the cluster has one monitor.",
    not: "Several addresses; none given, so that ceph.conf applies; a storage without monhost on hyperconverged Proxmox.",
    why: "A running VM learns the other monitors, but it cannot start or open the disk again while this monitor is down.",
    worth: null,
    wrong: "If the name resolves to the addresses of all monitors, one name is enough.",
    takes: "restart",
    fix: {
      qemu: 'mon_host=a\\;b\\;c, or every monitor in "server" of the -blockdev',
      libvirt: "one <host> element for each monitor",
      cloudstack: "every monitor in the primary storage's monitor list",
      proxmox: "monhost with every monitor in storage.cfg",
      opennebula: 'CEPH_HOST = "mon1 mon2 mon3" in the datastore',
      rook: "spec.mon.count: 3",
      "ceph-conf": "mon_host with every monitor",
      any: "name every monitor",
    },
    disk: (disk): Hit | undefined =>
      isData(disk) && disk.source.monitors?.value.length === 1
        ? { place: disk.source.monitors.place }
        : undefined,
    vm: ({ settings: { singleMonitor } }) =>
      singleMonitor === undefined
        ? undefined
        : {
            place: singleMonitor.place,
            severity: "medium",
            why: `One monitor for the whole cluster (${singleMonitor.value}): while it is down no disk can be opened and no map changes.`,
          },
  },
  {
    id: "client-admin",
    title: "The VM logs in as client.admin",
    severity: "low",
    when: "The client is client.admin: id=admin, user admin, <auth username='admin'>, ceph.user.name: admin, or QEMU's rbd with no id or user at all.",
    not: "Another name; authentication off; a Proxmox configuration.",
    why: "An attacker who controls this process may do anything to the cluster: delete pools, read every image.",
    worth: null,
    wrong: "Never; create the user before you change the name.",
    takes: "restart",
    fix: {
      qemu: "id=vmuser (-blockdev: user=vmuser), a user with mon 'profile rbd' and osd 'profile rbd pool=POOL'",
      libvirt: "<auth username='vmuser'> with caps 'profile rbd pool=POOL'",
      proxmox:
        "username vmuser at the storage in storage.cfg, with its keyring in /etc/pve/priv/ceph/STORAGE.keyring; its caps: mon 'profile rbd', osd 'profile rbd pool=POOL'",
      incus: "incus storage set POOL ceph.user.name=vmuser (make the user first)",
      rook: "userID in the secret: a user with mon 'profile rbd', mgr 'allow rw', osd 'profile rbd'",
      spdk: "user_id in bdev_rbd_register_cluster",
      openstack: "[libvirt] rbd_user = nova, with caps 'profile rbd' for its pools",
      "ceph-nvmeof": "id = nvmeof in [ceph], with caps 'profile rbd'",
      any: "a user with mon 'profile rbd' and osd 'profile rbd pool=POOL'",
    },
    disk: ({ source, kind }, vm): Hit | undefined => {
      const { user, authNone } = source;
      if (kind !== "data" || vm.platform === "proxmox") return undefined;
      if (source.driver === "other" || user === undefined || authNone !== undefined) return undefined;
      if (user.value === "")
        return {
          place: user.place,
          why: "No user is given, so librados logs in as client.admin, which may do anything to the cluster.",
        };
      return user.value === "admin" || user.value === "client.admin" ? { place: user.place } : undefined;
    },
    vm: ({ settings: { adminUser } }) => (adminUser === undefined ? undefined : { place: adminUser.place }),
  },
  {
    id: "conf-elsewhere",
    title: "Client settings do not come from ceph.conf alone",
    severity: "info",
    when: "A disk reads another ceph.conf than the given one, or none; an option in the drive's string differs from it; CEPH_ARGS or CEPH_CONF is set in QEMU's environment.",
    not: "Monitors, users and keyrings, which may differ; one ceph.conf that all disks read.",
    why: "The VM does not use the values in ceph.conf: CEPH_ARGS overrides the file, and the drive's string overrides both.",
    worth: null,
    wrong: "If it is intended, leave it, and look there first when you change a setting.",
    takes: "restart",
    fix: {
      qemu: "conf=/etc/ceph/ceph.conf in the drive, and the options in that file under [client]",
      libvirt:
        "<config file='/etc/ceph/ceph.conf'/> in <source>, and the options in that file under [client]",
      any: "keep client options in one ceph.conf under [client], and name that file",
    },
    vm: ({ settings: { confElsewhere } }) =>
      confElsewhere === undefined
        ? undefined
        : { place: confElsewhere[0]!.place, why: `${confElsewhere.map(({ value }) => value).join("; ")}.` },
  },
  {
    id: "key-exposed",
    title: "The cephx key is in the command line",
    severity: "medium",
    when: "`:key=` in a command line, or a secret object with the key in the open.",
    not: "A keyring file; libvirt's secret objects, which are encrypted with the master key; <secret uuid>.",
    why: "Every user of the host sees the key in the process list, and every tool that logs process lists stores it.",
    worth: null,
    wrong: "Never. Renew the key afterwards, because it is exposed.",
    takes: "restart",
    fix: {
      qemu: "pass it by -object secret,id=s0,file=FILE with key-secret=s0, or name a keyring; then renew the key (ceph auth rotate)",
      libvirt:
        "<auth> with <secret type='ceph' uuid='...'/>; newer libvirt passes it as an encrypted secret object; then renew the key",
      any: "a keyring file in place of the key; then renew the key (ceph auth rotate)",
    },
    disk: ({ source }) => (source.key === undefined ? undefined : { place: source.key }),
  },
  {
    id: "auth-none",
    title: "Authentication is off",
    severity: "medium",
    when: 'Authentication is off for this client: auth_supported=none, auth-client-required ["none"], a libvirt rbd source without <auth>.',
    not: "cephx;none, which libvirt always writes; hyperconverged defaults.",
    why: "This works only if cephx is off on the cluster: anyone who reaches its network may read and delete every image.",
    worth: null,
    wrong: "In a closed laboratory. Before you switch cephx on, distribute keys to all clients.",
    takes: "restart",
    fix: {
      libvirt: "<auth username='vmuser'><secret type='ceph' uuid='...'/></auth>",
      proxmox: "keep a keyring for the storage in /etc/pve/priv/ceph/ and cephx on",
      "ceph-conf": "auth_client_required = cephx (after keys are everywhere)",
      any: "id=vmuser with a keyring, and auth_client_required = cephx",
    },
    disk: ({ source, kind }): Hit | undefined =>
      kind === "data" && source.authNone !== undefined ? { place: source.authNone } : undefined,
    vm: ({ settings: { authNone } }) => (authNone === undefined ? undefined : { place: authNone.place }),
  },
  {
    id: "secure-cost",
    title: "The wire is encrypted",
    severity: "info",
    rung: "secure",
    when: "ms_mode=secure, or ms_client_mode or ms_service_mode secure.",
    not: "crc, prefer-crc, no mode.",
    why: "Every byte between client and OSDs goes through AES-GCM, which costs CPU for each I/O on both sides.",
    worth: published.secure,
    wrong: "If the network is not trusted: keep encryption, and plan the CPU.",
    takes: "restart",
    fix: {
      rook: "mapOptions with ms_mode=prefer-crc if the network is trusted; else keep it and plan the CPU",
      any: "ms_client_mode = crc if the network is trusted; else keep it and plan the CPU",
    },
    disk: ({ source }): Hit | undefined => {
      if (source.map?.value.options.get("ms_mode") === "secure") return { place: source.map.place };
      const mode = source.options?.get("ms_client_mode") ?? source.options?.get("ms_service_mode");
      return mode?.value.split(/[\s,;]+/)[0] === "secure" ? { place: mode.place } : undefined;
    },
    vm: ({ settings: { secure } }) => (secure === undefined ? undefined : { place: secure.place }),
  },
];

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { examine } from "../../src/examine.ts";
import { expectFindings } from "../support/expect-findings.ts";

const libvirt = "[libvirt]\nvirt_type = kvm\nimages_type = rbd\nrbd_user = nova\n";

describe("nova.conf", () => {
  const cases: [title: string, files: Record<string, string>, wanted: string][] = [
    ["Nova's own cache is none", { "nova.conf": `${libvirt}hw_disk_discard = unmap\n` }, "network =; vm ="],
    [
      "a continued line and quotes are read as oslo.config does",
      {
        "nova.conf": `${libvirt}hw_disk_discard = "unmap"\ndisk_cachemodes = file=directsync,\n  network=writeback\n`,
      },
      "network =cache-librbd-on =cache-writeback-depends",
    ],
    [
      "network=none is what it should be",
      { "nova.conf": `${libvirt}hw_disk_discard = unmap\ndisk_cachemodes = network=none\n` },
      "network =",
    ],
    [
      "a mode for files only says nothing of RBD",
      { "nova.conf": `${libvirt}hw_disk_discard = unmap\ndisk_cachemodes = file=writeback\n` },
      "network =",
    ],
    [
      "a mode without a type is ignored by Nova",
      { "nova.conf": `${libvirt}hw_disk_discard = unmap\ndisk_cachemodes = writeback\n` },
      "network =option-misplaced",
    ],
    [
      "network=unsafe drops flushes",
      { "nova.conf": `${libvirt}hw_disk_discard = unmap\ndisk_cachemodes = network=unsafe\n` },
      "network =cache-librbd-on =cache-unsafe",
    ],
    [
      "hw_disk_discard outside [libvirt]",
      { "nova.conf": `[DEFAULT]\nhw_disk_discard = unmap\n${libvirt}` },
      "network =discard-off =option-misplaced",
    ],
    [
      "Mitaka still reads live_migration_flag",
      {
        "nova.conf": `${libvirt}hw_disk_discard = unmap\nlive_migration_flag = VIR_MIGRATE_LIVE,VIR_MIGRATE_TUNNELLED\n`,
        "release.txt": "OpenStack Mitaka\n",
      },
      "vm =tunnelled-migration",
    ],
    [
      "and Kilo, without the tunnel in it",
      {
        "nova.conf": `${libvirt}hw_disk_discard = unmap\nlive_migration_flag = VIR_MIGRATE_LIVE\n`,
        "release.txt": "OpenStack Kilo (2015.1)\n",
      },
      "vm =",
    ],
    [
      "Pike does not",
      {
        "nova.conf": `${libvirt}hw_disk_discard = unmap\nlive_migration_flag = VIR_MIGRATE_LIVE,VIR_MIGRATE_TUNNELLED\n`,
        "release.txt": "OpenStack Pike (nova 16)\n",
      },
      "vm =option-obsolete",
    ],
    [
      "cpu_mode none is qemu64",
      { "nova.conf": `${libvirt}hw_disk_discard = unmap\ncpu_mode = none\n` },
      "vm =cpu-generic",
    ],
    [
      "client.admin",
      { "nova.conf": `${libvirt.replace("= nova", "= admin")}hw_disk_discard = unmap\n` },
      "network =client-admin",
    ],
    [
      "an overlay of Kolla: its template is below it, and not seen",
      {
        "nova.conf": "[libvirt]\nhw_disk_discard = unmap\nimages_type = rbd\n",
        "release.txt": "Kolla-Ansible 2024.1\n",
      },
      "network =; vm =",
    ],
    [
      "no RBD, no disk",
      { "nova.conf": "[libvirt]\nvirt_type = kvm\n[api_database]\nconnection = x\n" },
      "vm =",
    ],
  ];
  for (const [title, files, wanted] of cases) it(title, () => void expectFindings(files, wanted));
});

describe("OpenStack-Ansible", () => {
  it("overrides of ceph.conf are settings of all clients", () => {
    const text =
      "ceph_conf_overrides:\n  global:\n    osd_pool_default_size: 1\n    ms client mode: secure\n  client:\n    rbd_plugins: pwl_cache\n    rbd_persistent_cache_mode: ssd\n";
    const { platform, managedBy } = expectFindings(
      { "user_variables.yml": text },
      "vm =replica-one =secure-cost =pwl-cache",
    );
    assert.deepEqual([platform, managedBy], ["ceph-conf", "openstack-ansible"]);
  });

  it("a pool for Nova enables the role's default network=writeback", () => {
    expectFindings(
      { "user_variables.yml": "nova_libvirt_images_rbd_pool: vms\n" },
      "network =cache-librbd-on =cache-writeback-depends",
    );
    const off =
      'nova_libvirt_images_rbd_pool: vms\nnova_libvirt_disk_cachemodes: ""\nnova_libvirt_hw_disk_discard: ignore\n';
    expectFindings({ "user_variables.yml": off }, "network =discard-off");
  });
});

describe("ceph.conf", () => {
  const cases: [title: string, text: string, wanted: string][] = [
    [
      "rbd_cache alone is no finding: QEMU decides",
      "[client]\nrbd cache = true\nrbd cache writethrough until flush = true\n",
      "vm =",
    ],
    [
      "a write log needs plugin and mode",
      "[client]\nrbd_plugins = pwl_cache\nrbd_persistent_cache_mode = rwl\n",
      "vm =pwl-cache",
    ],
    [
      "the plugin with the mode disabled",
      "[client]\nrbd_plugins = pwl_cache\nrbd_persistent_cache_mode = disabled\n",
      "vm =",
    ],
    ["the mode alone", "[client]\nrbd-persistent-cache-mode = ssd\n", "vm ="],
    ["one monitor", "[global]\nmon host = 192.0.2.1\n", "vm =mon-single"],
    [
      "one monitor with two addresses",
      "[global]\nmon_host = [v2:192.0.2.1:3300/0,v1:192.0.2.1:6789/0]\n",
      "vm =mon-single",
    ],
    [
      "three",
      "[global]\nmon_host = [v2:192.0.2.1:3300,v1:192.0.2.1:6789] [v2:192.0.2.2:3300,v1:192.0.2.2:6789]\n",
      "vm =",
    ],
    [
      "names with commas and comments",
      "[global]\n  mon host = a.example, b.example ; two\n# mon_host = c\n",
      "vm =",
    ],
    ["encryption", "[global]\nms_client_mode = secure\n", "vm =secure-cost"],
    ["crc first is no encryption", "[global]\nms_client_mode = crc secure\n", "vm ="],
    ["nobody is asked", "[global]\nauth client required = none\n", "vm =auth-none"],
    ["cephx or none", "[global]\nauth_client_required = cephx, none\n", "vm ="],
    ["one copy", "[global]\nosd pool default size = 1\n", "vm =replica-one"],
    ["two copies", "[global]\nosd_pool_default_size = 2\n", "vm ="],
    [
      "an option of old",
      "[global]\nms_async_max_op_threads = 10\nms_async_op_threads = 5\n",
      "vm =option-obsolete",
    ],
    ["OSDs' own settings are no clients'", "[osd]\nms_client_mode = secure\n", "vm ="],
  ];
  for (const [title, text, wanted] of cases)
    it(title, () => void expectFindings({ "ceph.conf": text }, wanted));

  it("Luminous still reads the option", () => {
    expectFindings(
      {
        "ceph.conf": "[global]\nms_async_max_op_threads = 10\n",
        "packages.txt": "librbd1-12.2.13-0.el7.x86_64\n",
      },
      "vm =",
    );
  });
});

describe("Incus", () => {
  const pool = (user = "vms") =>
    `name: remote\ndriver: ceph\nconfig:\n  ceph.osd.pool_name: p\n  ceph.user.name: ${user}\n`;
  const instance = (disk: string, config = 'limits.cpu: "2"') =>
    `architecture: x86_64\nconfig:\n  ${config}\ndevices:\n  root:\n    path: /\n    pool: remote\n    type: disk\n${disk}name: i\ntype: virtual-machine\n`;
  const cases: [title: string, instance: string, storage: string, wanted: string][] = [
    [
      "writeback is its own choice",
      instance(""),
      pool(),
      "root =cache-librbd-on =cache-writeback-depends; vm =",
    ],
    ["none", instance("    io.cache: none\n"), pool(), "root ="],
    ["unsafe", instance("    io.cache: unsafe\n"), pool(), "root =cache-librbd-on =cache-unsafe"],
    ["limits", instance("    io.cache: none\n    limits.read: 500iops\n"), pool(), "root =throttled"],
    ["a directory pool asks for nothing", instance(""), "name: remote\ndriver: dir\nconfig: {}\n", "root ="],
    [
      "a volume of Ceph by name",
      instance(
        "  data:\n    type: disk\n    source: ceph:p/v\n    ceph.user_name: vms\n    io.cache: none\n",
      ),
      pool(),
      "data =",
    ],
    ["a container has no QEMU", instance("").replace("virtual-machine", "container"), pool(), "root =krbd"],
    [
      "a large one without huge pages",
      instance("    io.cache: none\n", "limits.memory: 64GiB"),
      pool(),
      "vm =hugepages-missing",
    ],
    [
      "and with",
      instance("    io.cache: none\n", 'limits.memory: 64GiB\n  limits.memory.hugepages: "true"'),
      pool(),
      "vm =",
    ],
  ];
  for (const [title, text, storage, wanted] of cases)
    it(title, () => void expectFindings({ "instance.yaml": text, "storage.yaml": storage }, wanted));
});

describe("SPDK and ceph-nvmeof", () => {
  const bdevs = (...clusters: (string | undefined)[]) =>
    JSON.stringify({
      subsystems: [
        {
          subsystem: "bdev",
          config: [...new Set(clusters.filter(Boolean))]
            .map((name) => ({ method: "bdev_rbd_register_cluster", params: { name, user_id: "u" } }))
            .concat(
              clusters.map((cluster, index) => ({
                method: "bdev_rbd_create",
                params: {
                  name: `r${index}`,
                  pool_name: "p",
                  rbd_name: `i${index}`,
                  user_id: "u",
                  cluster_name: cluster,
                },
              })) as never,
            ),
        },
      ],
    });
  const cases: [title: string, text: string, wanted: string][] = [
    ["a client for each image", bdevs("a", "b", "c"), "r0 =; vm ="],
    ["no cluster named", bdevs(undefined, undefined), "r0 =; r1 =; vm ="],
    ["shared", bdevs("a", "a", "a", "b"), "vm =single-librados-client"],
  ];
  for (const [title, text, wanted] of cases)
    it(title, () => void expectFindings({ "spdk.json": text }, wanted));

  const gateway = (lines: string) => `[gateway]\nport = 5500\n[ceph]\npool = rbd\n[spdk]\n${lines}`;
  it("the gateway's default of 32 images a client is too many, 8 is not", () => {
    expectFindings({ "nvmeof.conf": gateway("timeout = 60\n") }, "vm =single-librados-client");
    expectFindings({ "nvmeof.conf": gateway("bdevs_per_cluster = 16\n") }, "vm =single-librados-client");
    expectFindings({ "nvmeof.conf": gateway("bdevs_per_cluster = 8\n") }, "vm =");
  });
});

describe("files beside a VM's configuration", () => {
  const line = (file: string) =>
    `/usr/bin/kvm -machine q35 -cpu host -object iothread,id=t0 -drive file=${file},if=none,id=d0,format=raw,cache=none,discard=unmap -device virtio-blk-pci,drive=d0,iothread=t0`;
  const librbd = line("rbd:p/i:id=u");
  const maps = (...libraries: string[]) =>
    libraries
      .map((each) => `7f00-7f01 r-xp 00000000 fd:00 1    /usr/lib/${each}`)
      .join("\n")
      .replace(/7f00-7f01/g, "7f0000000000-7f0000001000");
  const info = (features: string, more = "") =>
    `rbd image 'i':\n\tsize 10 GiB\n\torder 22 (4 MiB objects)\n\tfeatures: ${features}\n${more}`;
  const all = "layering, exclusive-lock, object-map, fast-diff, deep-flatten";
  const cases: [title: string, files: Record<string, string>, wanted: string][] = [
    [
      "jemalloc is an allocator too",
      { "qemu.txt": librbd, "maps.txt": maps("librbd.so.1.18.0", "libjemalloc.so.2") },
      "vm =",
    ],
    [
      "a minimal tcmalloc counts",
      { "qemu.txt": librbd, "maps.txt": maps("librbd.so.1.18.0", "libtcmalloc_minimal.so.4.5.9") },
      "vm =",
    ],
    [
      "libc's allocator under librbd",
      { "qemu.txt": librbd, "maps.txt": maps("librbd.so.1.18.0", "libc.so.6") },
      "vm =allocator-libc",
    ],
    ["on krbd nobody cares", { "qemu.txt": line("/dev/rbd0"), "maps.txt": maps("librbd.so.1.12.0") }, "vm ="],
    [
      "a librbd that was replaced on disk",
      { "qemu.txt": librbd, "maps.txt": maps("librbd.so.1.16.0 (deleted)", "libtcmalloc.so.4") },
      "vm =librbd-replaced",
    ],
    [
      "a package of Nautilus",
      { "qemu.txt": librbd, "packages.txt": "ii  librbd1  14.2.21-1  amd64  RADOS block device client\n" },
      "vm =librbd-old",
    ],
    ["a package of Reef", { "qemu.txt": librbd, "packages.txt": "librbd1-18.2.4-0.el9.x86_64\n" }, "vm ="],
    [
      "a new file beside an old package",
      {
        "qemu.txt": librbd,
        "packages.txt": "librbd1-12.2.7-9.el8.x86_64\n",
        "maps.txt": maps("librbd.so.1.20.0", "libtcmalloc.so.4"),
      },
      "vm =",
    ],
    ["a plain image", { "qemu.txt": librbd, "rbd-info.txt": info(all) }, "d0 ="],
    [
      "a clone",
      { "qemu.txt": librbd, "rbd-info.txt": info(all, "\tparent: p/base@s\n\toverlap: 1 GiB\n") },
      "d0 =clone-unflattened",
    ],
    [
      "layering only, journaling",
      { "qemu.txt": librbd, "rbd-info.txt": info("layering, exclusive-lock, journaling") },
      "d0 =features-minimal =journaling",
    ],
    [
      "the same as JSON",
      {
        "qemu.txt": librbd,
        "rbd-info.json":
          '{"name":"i","order":23,"object_size":8388608,"block_name_prefix":"rbd_data.1","features":["layering","exclusive-lock","object-map","fast-diff"],"snapshot_count":40}',
      },
      "d0 =object-size-odd =snapshots-many",
    ],
    [
      "another image's info is not this disk's, where there are two",
      {
        "qemu.txt": `${librbd} -drive file=rbd:p/j:id=u,if=none,id=d1,cache=none,discard=on -object iothread,id=t1 -device virtio-blk-pci,drive=d1,iothread=t1`,
        "rbd-info.txt": info(all, "\tparent: p/base@s\n"),
      },
      "d0 =clone-unflattened; d1 =",
    ],
    [
      "a mapping without options",
      { "qemu.txt": line("/dev/rbd/p/i"), "rbd-map.txt": "rbd map p/i --id u\n" },
      "d0 =krbd =krbd-queue-depth =rxbounce-missing",
    ],
    [
      "a good mapping",
      {
        "qemu.txt": line("/dev/rbd/p/i"),
        "rbd-map.txt": "sudo rbd device map p/i -o queue_depth=256,rxbounce --id u\n",
      },
      "d0 =krbd",
    ],
    [
      "an encrypted mapping as admin",
      {
        "qemu.txt": line("/dev/rbd0"),
        "rbd-map.txt": "rbd map -o ms_mode=secure,rxbounce p/i --name client.admin\n",
      },
      "d0 =krbd =secure-cost =client-admin",
    ],
    [
      "/etc/ceph/rbdmap",
      {
        "qemu.txt": line("/dev/rbd/p/i"),
        rbdmap: "# RbdDevice Parameters\np/i id=u,keyring=/etc/ceph/k,options='queue_depth=64,rxbounce'\n",
      },
      "d0 =krbd =krbd-queue-depth",
    ],
    [
      "rbd-nbd",
      { "qemu.txt": line("/dev/nbd0"), "rbd-map.txt": "rbd-nbd map p/i --device /dev/nbd0\n" },
      "d0 =rbd-nbd",
    ],
    ["a device of nbd that is not rbd-nbd's", { "qemu.txt": line("/dev/nbd0") }, "d0 ="],
    [
      "ceph.conf beside a VM",
      { "qemu.txt": librbd, "ceph.conf": "[client]\nrbd_cache = true\n[global]\nms_client_mode = secure\n" },
      "d0 =; vm =secure-cost",
    ],
  ];
  for (const [title, files, wanted] of cases) it(title, () => void expectFindings(files, wanted));

  it("several VMs in one set of files are examined one by one", () => {
    const names = examine([
      { name: "a", text: `${librbd} -name a` },
      { name: "b", text: `${librbd} -name b` },
    ]).map(({ name }) => name);
    assert.deepEqual(names, ["a", "b"]);
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { fixFor } from "../../src/fix/fix.ts";

const one = (name: string, text: string, id: string) => fixFor([{ name, text }], id);
const after = (name: string, text: string, id: string) => one(name, text, id).patches[0]?.after;

describe("fixes of a command line", () => {
  const start = "/usr/bin/kvm -M q35 -cpu host -smp 4";

  it("the device of an IDE disk becomes a virtio device", () => {
    const line = (device: string) =>
      `/usr/bin/kvm -M pc -cpu host -drive file=rbd:p/i:id=u,if=none,id=d,cache=none -device ${device}`;
    assert.equal(
      after("qemu.txt", line("ide-hd,bus=ide.0,unit=0,drive=d,id=ide0-0-0,bootindex=1"), "bus-ide"),
      line("virtio-blk-pci,drive=d,id=ide0-0-0,bootindex=1"),
    );
  });

  it("an IDE disk without a device gets if=virtio", () => {
    assert.equal(
      after("qemu.txt", "/usr/bin/kvm -M pc -cpu host -drive file=rbd:p/i:id=u,id=d,cache=none", "bus-ide"),
      "/usr/bin/kvm -M pc -cpu host -drive file=rbd:p/i:id=u,id=d,cache=none,if=virtio",
    );
  });

  it("an LSI adapter becomes virtio-scsi with the same id", () => {
    const line = (adapter: string) =>
      `${start} -device ${adapter},id=s -drive file=rbd:p/i:id=u,if=none,id=d,cache=none -device scsi-hd,bus=s.0,drive=d`;
    assert.equal(after("qemu.txt", line("lsi53c895a"), "scsi-lsi"), line("virtio-scsi-pci"));
  });

  it("one queue becomes one for each vCPU; limits are removed", () => {
    const line = (device: string, drive: string) =>
      `${start} -drive file=rbd:p/i:id=u,if=none,id=d,cache=none${drive} -device virtio-blk-pci,drive=d${device}`;
    assert.equal(after("qemu.txt", line(",num-queues=1", ""), "queues-single"), line(",num-queues=4", ""));
    assert.equal(
      after("qemu.txt", line("", ",throttling.iops-total=500,throttling.group=g,bps=1000"), "throttled"),
      line("", ""),
    );
  });

  it("the fix of another system's command line has a note that it does not last", () => {
    const { patches, notes } = one(
      "ps.txt",
      "/usr/bin/kvm -id 101 -name a -machine type=pc+pve0 -cpu host -drive file=rbd:p/i:id=u,if=none,id=drive-scsi0,cache=unsafe -device virtio-scsi-pci,id=s -device scsi-hd,bus=s.0,drive=drive-scsi0",
      "cache-unsafe",
    );
    assert.equal(patches.length, 1);
    assert.match(notes.join(), /^Proxmox writes this anew when it starts the VM/);
  });
});

describe("the fix of a running Proxmox VM", () => {
  const line =
    "/usr/bin/kvm -id 101 -name a -machine type=q35+pve0 -cpu host -drive file=rbd:p/i:id=u,if=none,id=drive-scsi0,cache=writeback,throttling.iops-total=500 -device virtio-scsi-pci,id=s -device scsi-hd,bus=s.0,drive=drive-scsi0";
  const config = "scsi0: ceph:vm-101-disk-0,cache=writeback,iops=500,mbps_rd_max=9,size=8G\nscsi01: x";
  for (const [id, made] of [
    ["cache-librbd-on", "ceph:vm-101-disk-0,iops=500,mbps_rd_max=9,size=8G"],
    ["throttled", "ceph:vm-101-disk-0,cache=writeback,size=8G"],
    ["discard-off", "ceph:vm-101-disk-0,cache=writeback,iops=500,mbps_rd_max=9,size=8G,discard=on"],
  ] as const)
    it(`${id}: the command takes the disk's line from the configuration`, () => {
      const [command] = one("ps.txt", line, id).words;
      // A stand-in for Proxmox's qm that does what the command needs.
      const qm = `qm() { [ "$1" = config ] && echo "$CONFIG" || echo "$*"; }`;
      const said = execFileSync("bash", ["-c", `${qm}; ${command}`], {
        encoding: "utf8",
        env: { ...process.env, CONFIG: config },
      });
      assert.equal(said, `set 101 --scsi0 ${made}\n`);
    });
});

describe("fixes of a Proxmox configuration", () => {
  const config = (lines: string) => `cores: 2\nmemory: 4096\n${lines}`;

  it("an IDE disk moves to virtio-scsi and keeps its place in the boot order", () => {
    assert.equal(
      after(
        "100.conf",
        config("boot: order=ide0;net0\nide0: ceph:vm-100-disk-0,size=8G\nide2: none,media=cdrom\n"),
        "bus-ide",
      ),
      config(
        "boot: order=scsi0;net0\nscsi0: ceph:vm-100-disk-0,size=8G,discard=on,iothread=1\nide2: none,media=cdrom\nscsihw: virtio-scsi-single\n",
      ),
    );
  });

  it("a SATA disk stays if other disks use another SCSI controller, and a note says so", () => {
    const { patches, notes } = one(
      "100.conf",
      config("sata0: ceph:vm-100-disk-0,size=8G\nscsi0: local:vm-100-disk-1,size=8G\nscsihw: pvscsi\n"),
      "bus-sata",
    );
    assert.deepEqual([patches, notes.length], [[], 1]);
  });

  it("queues are set on a disk that has its own controller", () => {
    const text = (disk: string) =>
      `cores: 4\ncpu: host\nmachine: pc-q35-4.2\nmemory: 4096\nscsi0: ceph:vm-100-disk-0,discard=on,iothread=1${disk}\nscsihw: virtio-scsi-single\n`;
    assert.equal(after("100.conf", text(""), "queues-single"), text(",queues=4"));
  });
});

describe("variables of OpenStack's installers", () => {
  it("Kolla's and OpenStack-Ansible's variables are set", () => {
    assert.equal(
      after(
        "globals.yml",
        "kolla_base_distro: debian\nnova_backend: rbd\nnova_compute_virt_type: qemu\n",
        "accel-tcg",
      ),
      "kolla_base_distro: debian\nnova_backend: rbd\nnova_compute_virt_type: kvm\n",
    );
    assert.equal(
      after(
        "user_variables.yml",
        "nova_libvirt_images_rbd_pool: vms\nnova_ceph_client: nova\n",
        "cache-librbd-on",
      ),
      "nova_libvirt_images_rbd_pool: vms\nnova_ceph_client: nova\nnova_libvirt_disk_cachemodes: network=none\n",
    );
  });

  it("a variable that another one overrides gives no patch", () => {
    const text =
      "nova_virt_type: kvm\nnova_libvirt_images_rbd_pool: vms\nnova_nova_conf_overrides:\n  libvirt:\n    virt_type: qemu\n";
    const { patches, notes } = one("user_variables.yml", text, "accel-tcg");
    assert.deepEqual(patches, []);
    assert.match(notes.join(), /^There is no patch: /);
  });
});

describe("a sentence says why there is no patch", () => {
  const disk = "-drive file=rbd:p/i,if=none,id=d,cache=writeback -device virtio-blk-pci,drive=d";
  for (const [id, why] of [
    ["cache-writeback-depends", /measure it first/],
    ["client-admin", /another user with its key/],
    ["machine-i440fx", /an installed guest would see other hardware/],
  ] as const)
    it(id, () => {
      const { patches, notes } = one("qemu.txt", `/usr/bin/kvm ${disk}`, id);
      assert.deepEqual(patches, []);
      assert.match(notes.join(), why);
    });

  it("for a format without patches", () => {
    const text =
      'VCPU="2"\nCPU_MODEL=[MODEL="host-passthrough"]\nDISK=[DATASTORE="ceph",DEV_PREFIX="vd",CACHE="unsafe"]\n';
    assert.match(one("a.one", text, "cache-unsafe").notes.join(), /no patches for files of this format/);
  });
});

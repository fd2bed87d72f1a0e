import type { Vm } from "../model/vm.ts";
import type { Finding, Hit } from "./finding.ts";
import { qmSet } from "./words.ts";
import { published } from "./worth.ts";

const generic = new Set(["kvm64", "kvm32", "qemu64", "qemu32", "cpu64-rhel6", "cpu64-rhel5", "base"]);
const gibibyte = 2 ** 30;

function isEmulated({ accelerator }: Vm): boolean {
  return accelerator?.value === "tcg";
}

export const guestFindings: readonly Finding[] = [
  {
    id: "accel-tcg",
    title: "The guest's CPUs are emulated",
    severity: "high",
    when: "accel=tcg, <domain type='qemu'>, Nova's virt_type=qemu, kvm: 0 (Proxmox), or qemu-system-* without any -accel or -enable-kvm.",
    not: "A program whose name ends in kvm, without -accel: it tries KVM first.",
    why: "QEMU interprets the guest's instructions (TCG) instead of running them on the processor: everything in the guest is many times slower.",
    worth: null,
    wrong:
      "If there is no KVM (a VM without nested virtualization), or the guest has another architecture than the host.",
    takes: "restart",
    fix: {
      qemu: "-accel kvm",
      libvirt: "<domain type='kvm'>",
      proxmox: (subject) => qmSet(subject, "--delete kvm"),
      openstack: "[libvirt] virt_type = kvm",
      "openstack-ansible": "nova_virt_type: kvm",
      kubevirt: "useEmulation: false in the KubeVirt object, on nodes with /dev/kvm",
      any: "KVM in place of TCG",
    },
    vm: (vm) =>
      isEmulated(vm)
        ? { place: vm.accelerator!.place, ...(vm.accelerator!.why && { why: vm.accelerator!.why }) }
        : undefined,
  },
  {
    id: "machine-i440fx",
    title: "The board is the legacy i440fx",
    severity: "info",
    rung: "q35",
    when: "An x86 pc or pc-i440fx board, also by default: no -machine type (QEMU), no machine line (Proxmox).",
    not: "q35; other architectures; KubeVirt and Incus, which use q35.",
    why: "The chipset dates from 1996: it has no PCI Express, and fewer interrupts for devices with many queues.",
    worth: published.noDifference,
    wrong: "For an installed VM: the guest sees other PCI addresses, and Windows detects all devices again.",
    takes: "new VMs",
    fix: {
      qemu: "-machine q35 (new VMs: the guest sees other PCI addresses)",
      libvirt: "machine='q35' (new VMs)",
      proxmox: (subject) => `${qmSet(subject, "--machine q35")} (check the guest's device names first)`,
      "openstack-nova": "[libvirt] hw_machine_type = x86_64=q35 for new instances",
      openstack: "[libvirt] hw_machine_type = x86_64=q35 for new instances",
      opennebula: 'OS = [ ..., MACHINE = "q35" ]',
      ganeti: "gnt-instance modify -H machine_version=q35 INSTANCE (check that it boots)",
      cloudstack: "a template with machine type pc-q35 (new VMs)",
      any: "q35, for new VMs",
    },
    vm: ({ machine, architecture }): Hit | undefined =>
      machine?.value.board === "i440fx" && architecture === "x86"
        ? {
            place: machine.place,
            ...(machine.value.byDefault && {
              why: "No machine type is given, so QEMU uses the legacy i440fx board.",
            }),
          }
        : undefined,
  },
  {
    id: "cpu-generic",
    title: "The guest's CPU model is a generic one",
    severity: "low",
    when: "kvm64, qemu64, cpu64-rhel6, or none given under KVM.",
    not: "host, host-model, any named CPU; KubeVirt's, Nova's and Incus' defaults; TCG.",
    why: "The guest does not see the processor's AES, AVX and newer instructions: encryption and checksums in the guest are slower.",
    worth: null,
    wrong:
      "If VMs migrate between hosts of different generations: use the newest model that all of them support.",
    takes: "restart",
    fix: {
      qemu: "-cpu host",
      libvirt: "<cpu mode='host-passthrough'/>, or host-model where VMs migrate",
      proxmox: (subject) => `${qmSet(subject, "--cpu host")} (or x86-64-v2-AES where hosts differ)`,
      openstack: "[libvirt] cpu_mode = host-model",
      "openstack-nova": "[libvirt] cpu_mode = host-model",
      opennebula: 'CPU_MODEL = [ MODEL = "host-passthrough" ]',
      cloudstack: "guest.cpu.mode=host-model in agent.properties",
      kubevirt: "drop cpu.model: the default is host-model",
      ganeti: "gnt-instance modify -H cpu_type=host INSTANCE",
      any: "the host's CPU model",
    },
    vm: (vm): Hit | undefined => {
      const { cpu } = vm;
      if (cpu === undefined || isEmulated(vm) || vm.accelerator?.value === "other") return undefined;
      if (cpu.value === undefined) {
        const name = vm.platform === "proxmox" ? "kvm64" : "QEMU's generic model (qemu64)";
        return {
          place: cpu.place,
          why: `No CPU model is given, so the guest runs on ${name}, without AES and AVX.`,
        };
      }
      return generic.has(cpu.value)
        ? { place: cpu.place, why: `${cpu.value} hides AES, AVX and most other features of the processor.` }
        : undefined;
    },
  },
  {
    id: "cpu-limit",
    title: "One quota for vCPUs and I/O threads",
    severity: "medium",
    when: "A quota that vCPUs and I/O threads share: KubeVirt's limits.cpu up to the vCPU count (high when below it), cputune's quotas, Proxmox's cpulimit below cores.",
    not: "Requests, shares, Incus' limits.cpu, dedicatedCpuPlacement.",
    why: "When the guest is busy it uses up the quota, and its I/O threads stop until the next period.",
    worth: null,
    wrong:
      "If the limit is part of the contract: then leave room for the I/O threads, one CPU more than vCPUs.",
    takes: "restart",
    fix: {
      kubevirt:
        "remove resources.limits.cpu, or cpu.dedicatedCpuPlacement: true with isolateEmulatorThread: true",
      libvirt: "remove the quota, or raise it above the vCPU count (virsh schedinfo DOMAIN --live --config)",
      proxmox: (subject) => qmSet(subject, "--delete cpulimit"),
      cloudstack: "a compute offering without CPU cap",
      "openstack-nova": "openstack flavor unset --property quota:cpu_quota FLAVOR",
      any: "remove the quota, or raise it above the vCPU count",
    },
    vm: ({ cpuLimit, platform }): Hit | undefined =>
      cpuLimit === undefined
        ? undefined
        : {
            place: cpuLimit.place,
            why: `${cpuLimit.value.words}: vCPUs, I/O threads and emulator share this quota, and the disk stalls when the guest is busy.`,
            ...(cpuLimit.value.below && platform === "kubevirt" && { severity: "high" as const }),
          },
  },
  {
    id: "numa-split",
    title: "The VM spans NUMA nodes",
    severity: "medium",
    when: "The input shows placement on different nodes of the host (pins, numatune), or a Proxmox guest has two or more sockets and no numa: 1 (info).",
    not: "Many sockets by Nova's or KubeVirt's topology; one socket.",
    why: "Memory and CPUs of the guest, or its I/O threads, are on different nodes: each access crosses the link between them.",
    worth: null,
    wrong: "If the guest is larger than a node, it has to span nodes: then let the guest see them.",
    takes: "restart",
    fix: {
      proxmox: (subject) => `${qmSet(subject, "--numa 1")}, or --sockets 1 with all cores`,
      libvirt:
        "one node in <numatune>, and vcpupin, emulatorpin and iothreadpin to its cores; or <numa> cells with <memnode>",
      "openstack-nova": "openstack flavor set --property hw:numa_nodes=1 FLAVOR",
      any: "one node for memory, vCPUs and I/O threads; or let the guest see the nodes",
    },
    vm: ({ numaSplit }): Hit | undefined =>
      numaSplit === undefined
        ? undefined
        : {
            place: numaSplit.place,
            why: `${capital(numaSplit.value.words)}: ${numaSplit.value.guestOnly ? "the guest sees one memory node, wherever the host puts it" : "accesses cross the link between the nodes"}.`,
            ...(numaSplit.value.guestOnly && { severity: "info" as const }),
          },
  },
  {
    id: "hugepages-missing",
    title: "A large guest without huge pages",
    severity: "info",
    when: "32 GiB or more of guest memory without huge pages.",
    not: "Less memory; huge pages set.",
    why: "With 4 KiB pages the processor walks page tables more often, in the guest and in the host.",
    worth: null,
    wrong:
      "If you need the memory for other purposes: huge pages are reserved at boot and cannot be swapped or ballooned. Transparent huge pages give much of the gain without this.",
    takes: "restart",
    fix: {
      qemu: "-object memory-backend-memfd,id=mem,size=SIZE,hugetlb=on with -machine memory-backend=mem",
      libvirt: "<memoryBacking><hugepages/></memoryBacking>",
      proxmox: (subject) => qmSet(subject, "--hugepages 2"),
      incus: "incus config set INSTANCE limits.memory.hugepages=true",
      "openstack-nova": "openstack flavor set --property hw:mem_page_size=large FLAVOR",
      any: "huge pages for the guest's memory",
    },
    vm: ({ memory, hugepages, platform }): Hit | undefined =>
      memory !== undefined && memory.value >= 32 * gibibyte && hugepages !== true && platform !== "kubevirt"
        ? {
            place: memory.place,
            why: `${Math.round(memory.value / gibibyte)} GiB in 4 KiB pages: the processor walks page tables more often, in the guest and in the host.`,
          }
        : undefined,
  },
  {
    id: "guest-scheduler",
    title: "The guest sorts requests before the cluster does",
    severity: "info",
    when: "The VM runs, and the guest agent reports another I/O scheduler than none for a disk.",
    not: "none, which is Linux's default for disks with several queues; no agent answers.",
    why: "Sorting and merging help a rotating disk. In front of a cluster they cost the guest CPU time and a lock for each request.",
    worth: null,
    wrong:
      "bfq and mq-deadline share a disk fairly among processes; where one of them starves the others, keep it.",
    takes: "live",
    measure:
      "fio --name=s --filename=/dev/DISK --rw=randread --bs=16k --iodepth=128 --ioengine=libaio --direct=1 --runtime=30 --time_based",
    fix: {
      any: ({ vm }) => {
        const sorted = sortedDisks(vm).map(([disk]) => disk);
        const disks = sorted.length === 0 ? ["DISK"] : sorted;
        return `in the guest: ${disks.map((disk) => `echo none > /sys/block/${disk}/queue/scheduler`).join("; ")}; for good by a udev rule: ACTION=="add|change", KERNEL=="vd*|sd*", ATTR{queue/scheduler}="none"`;
      },
    },
    vm: (vm): Hit | undefined => {
      const { guestSchedulers } = vm;
      const sorted = sortedDisks(vm);
      if (guestSchedulers === undefined || sorted.length === 0) return undefined;
      return {
        place: guestSchedulers.place,
        why: `In the guest ${sorted.map(([disk, name]) => `${disk} has ${name}`).join(", ")}: in front of a cluster, sorting costs CPU and a lock for each request.`,
      };
    },
  },
  {
    id: "tunnelled-migration",
    title: "Live migration goes through libvirtd",
    severity: "medium",
    when: "live_migration_tunnelled = true in [libvirt], or VIR_MIGRATE_TUNNELLED in a release that still reads live_migration_flag.",
    not: "The flag in a later release (option-obsolete).",
    why: "Migration data is copied through both libvirt daemons, on one core each: a busy VM dirties memory faster than that.",
    worth: null,
    wrong: "If there is no other way to encrypt migrations: set up native TLS first.",
    takes: "live",
    fix: {
      any: "live_migration_tunnelled = false and, for encryption, live_migration_with_native_tls = true",
    },
    vm: ({ settings: { tunnelled } }) => (tunnelled === undefined ? undefined : { place: tunnelled.place }),
  },
];

/** The guest's disks whose scheduler is not `none`. */
function sortedDisks({ guestSchedulers }: Vm): [disk: string, scheduler: string][] {
  return [...(guestSchedulers?.value ?? [])].filter(([, name]) => name !== "none");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

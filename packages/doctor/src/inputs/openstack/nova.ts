import type { Disk } from "../../model/disk.ts";
import { machineOf } from "../../model/machine.ts";
import type { Place } from "../../model/place.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import { type IniSetting, readIni } from "../ini.ts";
import type { InputFile } from "../input.ts";
import { isKolla, novaRelease } from "./release.ts";

/** Options of [libvirt] that determine disks on RBD and are often put in the wrong section. */
const libvirtOptions = [
  "disk_cachemodes",
  "hw_disk_discard",
  "images_type",
  "images_rbd_pool",
  "images_rbd_ceph_conf",
  "rbd_user",
  "rbd_secret_uuid",
  "live_migration_tunnelled",
];

/** live_migration_flag was deprecated in Mitaka (13) and removed in Ocata (15). */
const flagsRemovedIn = 15;

/** Stands for all VMs of a host with this nova.conf. */
export function novaVm(input: InputFile, releaseFile?: InputFile): Vm {
  const text = `${releaseFile?.text ?? ""}`;
  const kolla = isKolla(text) || /kolla/i.test(input.name) || /kolla/i.test(input.text.slice(0, 2000));
  return vmFromSettings(
    readIni(input),
    { file: input.name, line: 1 },
    novaRelease(text),
    kolla ? "kolla" : undefined,
  );
}

/** The same from settings that come from another format. */
export function vmFromSettings(
  settings: readonly IniSetting[],
  place: Place,
  release: number | undefined,
  manager: string | undefined,
): Vm {
  const vm = emptyVm("openstack", place);
  if (manager !== undefined) vm.managedBy = manager;
  const option = (key: string) => settings.findLast((each) => each.section === "libvirt" && each.key === key);
  const virtType = option("virt_type");
  if (virtType !== undefined) {
    const isTcg = virtType.value === "qemu";
    vm.accelerator = {
      value: isTcg ? "tcg" : virtType.value === "kvm" ? "kvm" : "other",
      place: virtType.place,
      ...(isTcg && {
        why: "virt_type = qemu emulates the guests' CPUs in QEMU (TCG) instead of using KVM.",
      }),
    };
  }
  const mode = option("cpu_mode");
  const models = option("cpu_models") ?? option("cpu_model");
  if (mode?.value === "none") vm.cpu = { value: undefined, place: mode.place };
  else if (mode?.value === "custom" && models !== undefined)
    vm.cpu = { value: models.value.split(",")[0]!.trim(), place: models.place };
  const machine = option("hw_machine_type");
  const x86 = /x86_64=([^,\s]+)/.exec(machine?.value ?? "")?.[1];
  if (x86 !== undefined) vm.machine = { value: machineOf(x86), place: machine!.place };
  setMigration(vm, settings, release);
  const disk = networkDisk(settings, place);
  if (disk !== undefined) vm.disks.push(disk);
  if (
    manager === "kolla" &&
    (option("disk_cachemodes") === undefined || option("hw_disk_discard") === undefined)
  ) {
    vm.unseen.push(
      "Kolla's own template below this overlay: with nova_backend rbd it sets disk_cachemodes=network=writeback and hw_disk_discard=unmap; give the nova.conf of the running container to have them counted",
    );
  }
  return vm;
}

/** Stands for all network disks: Nova's own images and Cinder's volumes on RBD. */
function networkDisk(settings: readonly IniSetting[], whole: Place): Disk | undefined {
  const option = (key: string) => settings.findLast((each) => each.section === "libvirt" && each.key === key);
  const isRbd =
    option("images_type")?.value === "rbd" ||
    settings.some(({ key }) => /^(images_rbd_|rbd_(user|secret_uuid)$)/.test(key)) ||
    settings.some(({ key, value }) => key === "disk_cachemodes" && value.includes("network"));
  const modes = option("disk_cachemodes");
  const elsewhere = settings.filter(
    ({ section, key, value }) =>
      section !== "libvirt" &&
      value !== "" &&
      (libvirtOptions.includes(key) || /^libvirt_(images|disk|inject)_/.test(key)),
  );
  if (!isRbd && elsewhere.length === 0 && modes === undefined) return undefined;
  const place = (option("images_type") ?? modes ?? option("rbd_user"))?.place ?? whole;
  const discard = option("hw_disk_discard");
  const user = option("rbd_user");
  const disk: Disk = {
    name: "network",
    place,
    kind: "data",
    bus: { value: "none", place },
    source: {
      driver: "librbd",
      place,
      ...(user !== undefined && { user: { value: user.value, place: user.place } }),
    },
    iothread: { state: "unsettable", place },
    cache: cacheOf(modes, whole),
    discard: { value: discard?.value === "unmap", place: discard?.place ?? place },
  };
  const misplaced = elsewhere.map(({ section, key, place: at }) => ({
    value: {
      option: key,
      why: `Nova reads ${key} from [libvirt]; in [${section}] it does nothing.`,
      belongs:
        key === "disk_cachemodes"
          ? "[libvirt] disk_cachemodes = network=MODE"
          : `[libvirt] ${key.replace(/^libvirt_/, "")}`,
    },
    place: at,
  }));
  if (modes !== undefined && modes.value !== "" && !modes.value.includes("=")) {
    misplaced.push({
      value: {
        option: "disk_cachemodes",
        why: `disk_cachemodes is a list of type=mode: "${modes.value}" has no source type, so Nova ignores it.`,
        belongs: `[libvirt] disk_cachemodes = network=${modes.value}`,
      },
      place: modes.place,
    });
  }
  if (misplaced.length > 0) disk.misplaced = misplaced;
  return disk;
}

/** Nova gives network disks cache=none unless disk_cachemodes says otherwise (nova/virt/libvirt/driver.py). */
function cacheOf(modes: IniSetting | undefined, whole: Place): Disk["cache"] {
  const mode = /(?:^|[,\s])network\s*=\s*([a-z]+)/.exec(modes?.value ?? "")?.[1];
  if (mode === undefined || !["writeback", "writethrough", "none", "directsync", "unsafe"].includes(mode))
    return { direct: true, noFlush: false, chosen: "platform", place: modes?.place ?? whole };
  return {
    direct: mode === "none" || mode === "directsync",
    noFlush: mode === "unsafe",
    mode,
    chosen: "written",
    place: modes?.place ?? whole,
  };
}

function setMigration(vm: Vm, settings: readonly IniSetting[], release: number | undefined): void {
  const find = (key: string) => settings.findLast((each) => each.section === "libvirt" && each.key === key);
  const tunnelled = find("live_migration_tunnelled");
  if (tunnelled !== undefined && /^(true|1|yes|on)$/i.test(tunnelled.value))
    vm.settings.tunnelled = { value: "live_migration_tunnelled = true", place: tunnelled.place };
  for (const key of ["live_migration_flag", "block_migration_flag"]) {
    const flags = settings.findLast((each) => each.key === key);
    if (flags === undefined) continue;
    if (release !== undefined && release < flagsRemovedIn) {
      if (flags.value.includes("VIR_MIGRATE_TUNNELLED") && tunnelled === undefined)
        vm.settings.tunnelled ??= { value: `VIR_MIGRATE_TUNNELLED in ${key}`, place: flags.place };
      continue;
    }
    vm.settings.obsolete ??= [];
    const named = release === undefined ? "every release since Ocata" : "this release";
    vm.settings.obsolete.push({
      value: {
        option: key,
        why: `${named} has no option ${key}: none of its flags is in force.`,
        harmful: flags.value.includes("VIR_MIGRATE_TUNNELLED"),
      },
      place: flags.place,
    });
  }
}

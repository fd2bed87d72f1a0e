import type { Disk, Source } from "../model/disk.ts";
import type { HostFacts } from "../model/host-facts.ts";
import { emptyVm, type Vm } from "../model/vm.ts";
import { applyCephConf } from "./ceph/client-settings.ts";
import { readCephConf } from "./ceph/conf.ts";
import { compareWithConf } from "./ceph/elsewhere.ts";
import { cephOfVersions, factsFromMaps, librbdOfPackages, qemuServerOf } from "./companions/host.ts";
import { readRbdInfo } from "./companions/rbd-info.ts";
import { type RbdMap, readRbdMaps } from "./companions/rbd-map.ts";
import { incusVm } from "./incus/vm.ts";
import type { Format, InputFile, RecognisedFile } from "./input.ts";
import { kubevirtVm, vmKinds } from "./kubernetes/kubevirt.ts";
import { ofKind, readObjects } from "./kubernetes/objects.ts";
import { rookVm } from "./kubernetes/rook.ts";
import { domainsIn } from "./libvirt/several.ts";
import { libvirtVm } from "./libvirt/vm.ts";
import { opennebulaVm } from "./opennebula/vm.ts";
import { ansibleVm } from "./openstack/ansible.ts";
import { cinderVm } from "./openstack/cinder.ts";
import { kollaVm } from "./openstack/kolla.ts";
import { novaVm } from "./openstack/nova.ts";
import { proxmoxVm } from "./proxmox/vm.ts";
import { commandLines } from "./qemu/several.ts";
import { qemuVm } from "./qemu/vm.ts";
import { nvmeofVm, spdkVm } from "./spdk/vm.ts";
import { readXml } from "./xml.ts";
import { readYaml } from "./yaml.ts";

/** The VMs in a set of files. A file that describes a VM makes one; facts from all other files apply to each VM. */
export function vmsOf(files: readonly RecognisedFile[]): Vm[] {
  const of = (...formats: Format[]) => files.filter(({ format }) => formats.includes(format));
  const facts = hostFacts(files);
  const vms = mainVms(of, facts);
  for (const vm of vms) addCompanions(vm, of, facts);
  return vms;
}

type Select = (...formats: Format[]) => RecognisedFile[];

function mainVms(of: Select, facts: HostFacts): Vm[] {
  const pools = new Map(
    of("libvirt-pool").flatMap((file) => {
      const root = readXml(file);
      return [[root.find("name")?.text ?? "", root] as const];
    }),
  );
  const objects = readObjects(of("kubernetes"));
  const vmObjects = ofKind(objects, ...vmKinds);
  const storages = of("incus-storage").flatMap((file) => readYaml(file));
  const vms = [
    ...of("qemu")
      .flatMap(commandLines)
      .map((file) => qemuVm(file, of("qemu-config"))),
    ...of("libvirt")
      .flatMap(domainsIn)
      .map((file) => libvirtVm(file, pools)),
    ...of("proxmox").map((file) => proxmoxVm(file, of("proxmox-storage")[0], facts.qemuServer)),
    ...vmObjects.map((object) => kubevirtVm(object, objects)),
    ...of("nova").map((file) => novaVm(file, of("release")[0])),
    ...of("cinder").map(cinderVm),
    ...of("kolla").map(kollaVm),
    ...of("ansible").map((file) => ansibleVm(file)),
    ...of("incus")
      .flatMap((file) => readYaml(file))
      .flatMap((document) => (Array.isArray(document.value) ? document.list() : [document]))
      .map((instance) => incusVm(instance, storages)),
    ...of("spdk").map(spdkVm),
    ...of("nvmeof").map(nvmeofVm),
  ];
  if (objects.length > 0 && vmObjects.length === 0) vms.push(rookVm(objects));
  // A template beside a domain is the domain's source, not a second VM.
  if (vms.length === 0) vms.push(...of("opennebula").map(opennebulaVm));
  if (vms.length > 0) return vms;
  const conf = of("ceph-conf")[0];
  if (conf !== undefined) return [emptyVm("ceph-conf", { file: conf.name, line: 1 })];
  const images = of("rbd-info", "rbd-map");
  return images.length > 0 ? [imagesAlone(images)] : [];
}

/** Images without a VM: each becomes a disk with the image's name. */
function imagesAlone(files: readonly RecognisedFile[]): Vm {
  const vm = emptyVm("qemu", { file: files[0]!.name, line: 1 });
  const add = (name: string, source: Source) => {
    if (vm.disks.some((disk) => disk.name === name)) return;
    vm.disks.push({
      name,
      place: source.place,
      kind: "data",
      bus: { value: "none", place: source.place },
      source,
    });
  };
  for (const file of files)
    if (file.format === "rbd-map")
      for (const map of readRbdMaps(file)) {
        const place = map.map?.place ?? { file: file.name, line: 1 };
        add(map.image ?? "image", {
          driver: map.driver,
          place,
          ...(map.pool !== undefined && { pool: map.pool }),
          ...(map.image !== undefined && { image: map.image }),
        });
      }
  for (const file of files)
    if (file.format === "rbd-info")
      for (const { image, place } of readRbdInfo(file)) add(image, { driver: "librbd", place, image });
  return vm;
}

function addCompanions(vm: Vm, of: Select, facts: HostFacts): void {
  const { qemuServer: _known, ...host } = facts;
  vm.host = { ...host, ...vm.host };
  for (const file of of("ceph-conf")) {
    const conf = readCephConf(file);
    applyCephConf(vm, conf, facts.librbd?.value.major);
    compareWithConf(vm, file.name, conf);
  }
  const infos = of("rbd-info").flatMap(readRbdInfo);
  for (const info of infos) {
    const target = matching(vm.disks, info.image, infos.length === 1);
    if (target !== undefined) target.image = { ...target.image, ...info };
  }
  for (const map of of("rbd-map").flatMap(readRbdMaps)) addMap(vm.disks, map);
  if (vm.platform === "libvirt" && of("opennebula").length > 0) vm.platform = "opennebula";
}

/** The disk of an image: by its name, or because there is only one candidate. */
function matching(disks: readonly Disk[], image: string, isOnly: boolean): Disk | undefined {
  const rbd = disks.filter(({ source, kind }) => source.driver !== "other" && kind === "data");
  const named = rbd.find(({ source }) => source.image === image);
  if (named !== undefined) return named;
  return isOnly && rbd.length === 1 ? rbd[0] : undefined;
}

/** Adds a mapping's facts to the disk on its device or of its image, otherwise to all mapped disks. */
function addMap(disks: readonly Disk[], { driver, image, device, user, map }: RbdMap): void {
  const isMapped = ({ source }: Disk) =>
    source.driver === "krbd" || source.driver === "rbd-nbd" || /^\/dev\/nbd\d/.test(source.path ?? "");
  const mapped = disks.filter(isMapped);
  const named = mapped.filter(
    ({ source }) =>
      (device !== undefined && source.path === device) || (image !== undefined && source.image === image),
  );
  for (const disk of named.length > 0 ? named : mapped) {
    disk.source.driver = driver;
    if (map !== undefined) disk.source.map = map;
    if (user !== undefined) disk.source.user = user;
  }
}

/** The librbd in use, from the best source: the process's maps, then the package, then a program's own version output. */
function hostFacts(files: readonly RecognisedFile[]): HostFacts {
  const facts: HostFacts = {};
  const texts = (format: Format): InputFile[] => files.filter((file) => file.format === format);
  for (const file of texts("maps")) Object.assign(facts, factsFromMaps(file));
  if (facts.librbd === undefined || Number.isNaN(facts.librbd.value.major)) {
    const found =
      texts("packages").map(librbdOfPackages).find(Boolean) ??
      texts("versions").map(cephOfVersions).find(Boolean);
    if (found !== undefined) facts.librbd = found;
  }
  const server = [...texts("proxmox-version"), ...texts("packages")].map(qemuServerOf).find(Boolean);
  if (server !== undefined) facts.qemuServer = server;
  return facts;
}

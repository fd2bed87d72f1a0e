import { type Disk, isData } from "../model/disk.ts";
import type { Finding, Hit } from "./finding.ts";
import { diskName, vmName } from "./words.ts";
import { published } from "./worth.ts";

const four = 4 * 2 ** 20;

function imageName({ disk }: { disk?: Disk }): string {
  const source = disk?.source;
  return source?.image === undefined
    ? "POOL/IMAGE"
    : [source.pool, source.namespace, source.image].filter(Boolean).join("/");
}

export const imageFindings: readonly Finding[] = [
  {
    id: "krbd",
    title: "The kernel client maps the image",
    severity: "info",
    when: "The data goes through /dev/rbd*, /dev/rbd-pve, a Proxmox storage with krbd 1, ceph-csi with mounter rbd or none named.",
    not: "librbd; mounter rbd-nbd.",
    why: "The kernel client carries the data: librbd's cache, allocator and version have no effect, and findings about them do not apply to this disk.",
    worth: published.krbd,
    wrong:
      "It is not a fault: the kernel client is often faster. It lacks some image features, and its version is the kernel's.",
    takes: "nothing to do",
    fix: {
      proxmox: "none; krbd 0 in storage.cfg would use librbd",
      rook: "none; mounter and mapOptions of the StorageClass are the knobs",
      kubevirt: "none; mounter and mapOptions of the StorageClass are the knobs",
      ganeti: "none; access=userspace is not faster by rule: measure first",
      any: "none",
    },
    disk: (disk, vm): Hit | undefined =>
      disk.kind === "data" && disk.source.driver === "krbd"
        ? {
            place: disk.source.place,
            ...((vm.platform === "kubevirt" || vm.platform === "rook" || vm.platform === "proxmox") && {
              worth: null,
            }),
          }
        : undefined,
  },
  {
    id: "krbd-queue-depth",
    title: "128 requests in flight for each mapped image",
    severity: "info",
    when: "A StorageClass without mapOptions, or rbd map without -o, so that at most 128 requests are in flight; or queue_depth below 128.",
    not: "queue_depth 256 or more; mappings that are not in the input.",
    why: "The kernel client keeps at most 128 requests of a mapped image in flight; further requests of the guests wait.",
    worth: null,
    wrong: "If the cluster is busy: a deeper queue then only moves the waiting to the OSDs.",
    takes: "new images",
    fix: {
      rook: "mapOptions: krbd:queue_depth=256 where guests go deeper",
      kubevirt: "mapOptions: krbd:queue_depth=256 in the StorageClass where guests go deeper",
      any: "rbd map -o queue_depth=256 where guests go deeper",
    },
    disk: ({ source }): Hit | undefined => {
      if (source.driver !== "krbd" || source.map === undefined) return undefined;
      const { options, given } = source.map.value;
      const depth = Number(options.get("queue_depth") ?? Number.NaN);
      if (depth < 128)
        return {
          place: source.map.place,
          why: `queue_depth=${depth} is below the kernel's default of 128; further requests of the guests wait.`,
        };
      return given ? undefined : { place: source.map.place };
    },
  },
  {
    id: "rxbounce-missing",
    title: "krbd reads directly into pages that the guest may change",
    severity: "low",
    when: "A StorageClass or rbd map uses the kernel client for images of VMs without rxbounce.",
    not: "rbd-nbd; mappings that are not in the input; Proxmox.",
    why: "A guest may change a page while krbd reads into it; krbd then computes a wrong checksum, drops the connection and reads again.",
    worth: null,
    wrong: "For images that containers use as file systems: there rxbounce only costs a copy.",
    takes: "new images",
    fix: {
      rook: ({ disk }) => `mapOptions: krbd:${withRxbounce(disk)}`,
      kubevirt: ({ disk }) => `mapOptions: krbd:${withRxbounce(disk)} in the StorageClass`,
      any: ({ disk }) => `rbd map -o ${withRxbounce(disk)}`,
    },
    disk: ({ source }, vm): Hit | undefined =>
      source.driver === "krbd" &&
      source.map !== undefined &&
      vm.platform !== "proxmox" &&
      !source.map.value.options.has("rxbounce")
        ? { place: source.map.place }
        : undefined,
  },
  {
    id: "rbd-nbd",
    title: "rbd-nbd maps the image",
    severity: "low",
    when: "mounter: rbd-nbd, or a /dev/nbd* of rbd-nbd.",
    not: "The kernel client; librbd.",
    why: "Each request goes from the kernel to a process and from there through librbd, which crosses between kernel and user space twice. When that process ends (an update of the plugin's pod), the disk hangs.",
    worth: null,
    wrong: "If the kernel client lacks a feature that the image needs (journaling, new encryption).",
    takes: "new images",
    fix: {
      rook: "a StorageClass without mounter: rbd-nbd (parameters cannot be changed in place)",
      kubevirt: "a StorageClass without mounter: rbd-nbd",
      any: "rbd map in place of rbd-nbd map",
    },
    disk: (disk) =>
      disk.kind === "data" && disk.source.driver === "rbd-nbd" ? { place: disk.source.place } : undefined,
  },
  {
    id: "features-minimal",
    title: "The image lacks exclusive-lock, object-map or fast-diff",
    severity: "low",
    when: "imageFeatures or rbd info lack object-map, fast-diff or exclusive-lock.",
    not: "The image has all of them.",
    why: "Without an object map, rbd du, diff, resize and remove check every object. Reads and writes are not slower.",
    worth: {
      text: "a claim of x7 on writes exists, but is unpaired, and its reason does not hold for krbd",
      source: "neil1taylor/storage-perf-tests",
    },
    wrong: "If an old kernel (before 5.3) maps the image: it does not support object-map and fast-diff.",
    takes: "new images",
    fix: {
      rook: "a new StorageClass with imageFeatures: layering,exclusive-lock,object-map,fast-diff,deep-flatten (parameters cannot be changed in place)",
      any: (subject) =>
        `rbd feature enable ${imageName(subject)} exclusive-lock object-map fast-diff, then rbd object-map rebuild`,
    },
    disk: ({ image }): Hit | undefined => {
      if (image?.features === undefined) return undefined;
      const missing = ["exclusive-lock", "object-map", "fast-diff"].filter(
        (feature) => !image.features!.includes(feature),
      );
      return missing.length === 0
        ? undefined
        : {
            place: image.place,
            why: `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing: rbd du, diff, resize and remove check every object. Reads and writes are not slower.`,
          };
    },
  },
  {
    id: "object-map-invalid",
    title: "The image's object map is marked invalid",
    severity: "low",
    when: "rbd info, or the cluster, shows the flag object map invalid.",
    not: "No such flag.",
    why: "librbd does not use an invalid map: diff, du and removal check every object, and reads of missing objects go to the OSDs.",
    worth: null,
    wrong: "While a resize or another long operation runs: the flag is then set for some time.",
    takes: "live",
    fix: { any: (subject) => `rbd object-map rebuild ${imageName(subject)}` },
    disk: ({ image }): Hit | undefined =>
      image?.objectMapInvalid === true ? { place: image.place } : undefined,
  },
  {
    id: "journaling",
    title: "Every write goes to a journal first",
    severity: "medium",
    when: "The image has the feature journaling.",
    not: "Snapshot-based mirroring, which needs no journal.",
    why: "Each write is stored twice: first in the journal, then in the image.",
    worth: null,
    wrong: "If rbd-mirror needs it (journal-based mirroring).",
    takes: "live",
    fix: {
      rook: "imageFeatures without journaling in a new StorageClass; mirroring mode: image with snapshot schedules",
      any: (subject) =>
        `rbd mirror image enable ${imageName(subject)} snapshot where it is mirrored, then rbd feature disable ${imageName(subject)} journaling`,
    },
    disk: ({ image }) => (image?.features?.includes("journaling") ? { place: image.place } : undefined),
  },
  {
    id: "clone-unflattened",
    title: "The image still depends on its parent",
    severity: "medium",
    when: "The image has a parent: Proxmox base-N-disk-M/vm-..., parent: in rbd info.",
    not: "A base image or a template itself; a plain image.",
    why: "The first write to each object copies it from the parent, and reads of unwritten parts go to the parent's objects, which all clones share.",
    worth: null,
    wrong: "If many VMs share a parent to save space, and most of it is never written.",
    takes: "live",
    fix: {
      proxmox: (subject) =>
        `qm disk move ${subject.vm.id ?? "VMID"} ${diskName(subject)} OTHER-STORAGE (copies in full), or make the VM by qm clone ... --full 1`,
      incus: (subject) =>
        `rbd flatten ${imageName(subject)}, or ceph.rbd.clone_copy=false for new instances (${vmName(subject)})`,
      any: (subject) => `rbd flatten ${imageName(subject)}`,
    },
    disk: ({ image, template, kind }): Hit | undefined =>
      kind === "data" && image?.parent !== undefined && image.parent !== "" && template !== true
        ? {
            place: image.place,
            why: `The image is a clone of ${image.parent}${(image.cloneDepth ?? 1) > 1 ? `, the nearest of its ${image.cloneDepth} ancestors` : ""}: the first write to each object copies it from the parent, and reads of unwritten parts go to the parent, which all clones share.`,
          }
        : undefined,
  },
  {
    id: "object-size-odd",
    title: "Objects are not 4 MiB",
    severity: "low",
    when: "The object size is not 4 MiB (order 22).",
    not: "4 MiB.",
    why: "Larger objects make copy-on-write copies larger and spread large requests over fewer OSDs; smaller objects increase their number.",
    worth: null,
    wrong: "If it was chosen for a load and measured.",
    takes: "new images",
    fix: {
      "openstack-nova": (subject) =>
        `glance-api.conf [rbd] rbd_store_chunk_size = 4 for new images; rbd migration prepare --object-size 4M ${imageName(subject)}, then execute and commit`,
      rook: "objectSize left out in a new StorageClass",
      any: (subject) =>
        `rbd migration prepare --object-size 4M ${imageName(subject)}, then execute and commit`,
    },
    disk: ({ image }): Hit | undefined =>
      image?.objectSize !== undefined && image.objectSize !== four
        ? {
            place: image.place,
            why: `Objects are ${image.objectSize / 2 ** 20} MiB: ${image.objectSize > four ? "copy-on-write copies are larger, and large requests spread over fewer OSDs" : "there are more objects, and large requests are split into more pieces"}.`,
          }
        : undefined,
  },
  {
    id: "snapshots-many",
    title: "The image has many snapshots",
    severity: "low",
    when: "The image has more than 30 snapshots.",
    not: "Fewer.",
    why: "The first write to an object after each snapshot copies the object on every OSD that has it, and the OSDs trim each removed snapshot.",
    worth: null,
    wrong: "If they are backups that you need.",
    takes: "live",
    fix: { any: (subject) => `rbd snap ls ${imageName(subject)}, and remove what no backup needs` },
    disk: (disk) =>
      isData(disk) && (disk.image?.snapshots ?? 0) > 30
        ? { place: disk.image!.place, why: `The image has ${disk.image!.snapshots} snapshots.` }
        : undefined,
  },
  {
    id: "lock-stale",
    title: "A dead client holds the image's lock",
    severity: "medium",
    when: "The lock has an owner that does not watch the image.",
    not: "The owner watches the image.",
    why: "The next client that opens the image must wait until the owner counts as dead, and then put it on the blocklist; its Ceph user needs permission for that.",
    worth: null,
    wrong: "If the owner may still be alive behind a broken network: two writers destroy the image.",
    takes: "live",
    fix: { any: (subject) => `rbd lock ls ${imageName(subject)}; if that client is dead: rbd lock rm` },
    disk: ({ image }) =>
      image?.staleLock === undefined
        ? undefined
        : { place: image.place, why: `${image.staleLock} holds the lock and does not watch the image.` },
  },
  {
    id: "watchers-several",
    title: "Several clients have the image open",
    severity: "info",
    when: "More than one client watches the image.",
    not: "One client, which is the VM.",
    why: "With the feature exclusive-lock, two writers take the lock from each other again and again; without it, they destroy the image.",
    worth: null,
    wrong: "During a live migration or a backup, or if the second client only reads: this is normal.",
    takes: "nothing to do",
    fix: { any: (subject) => `rbd status ${imageName(subject)} names them` },
    disk: ({ image }) =>
      image?.watchers === undefined
        ? undefined
        : { place: image.place, why: `${image.watchers.join(", ")} have the image open.` },
  },
  {
    id: "setting-overridden",
    title: "The image or its pool overrides the client's settings",
    severity: "info",
    when: "The image or its pool has rbd_* settings.",
    not: "Neither has any.",
    why: "The values in ceph.conf and in the VM's configuration are not in force: the image's settings override the pool's, and both override the client's.",
    worth: null,
    wrong: "If they are intended, leave them.",
    takes: "restart",
    fix: {
      any: (subject) =>
        `rbd config image ls ${imageName(subject)}; rbd config image rm ${imageName(subject)} KEY`,
    },
    disk: ({ image }) =>
      image?.overrides === undefined
        ? undefined
        : {
            place: image.place,
            why: `${image.overrides.map(({ name, value, source }) => `${name} = ${value} (${source})`).join(", ")}: these override the client's settings.`,
          },
  },
];

function withRxbounce(disk: Disk | undefined): string {
  const options = [...(disk?.source.map?.value.options ?? [])].map(([name, value]) =>
    value === "" ? name : `${name}=${value}`,
  );
  return [...options.filter((option) => option !== "rxbounce"), "rxbounce"].join(",");
}

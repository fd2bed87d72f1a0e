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
    why: "The kernel client carries the data: librbd's cache, allocator and version play no part, and what is said of them elsewhere does not hold for this disk.",
    worth: published.krbd,
    wrong:
      "It is no fault: the kernel client is often the faster one. It lacks some features of images, and its age is the kernel's.",
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
    when: "A StorageClass without mapOptions, or rbd map without -o, so that 128 requests are in flight at most; or queue_depth below 128.",
    not: "queue_depth 256 or more; mappings that are not shown.",
    why: "The kernel client keeps 128 requests of a mapped image in flight; what guests send beyond that waits.",
    worth: null,
    wrong: "On a busy cluster a deeper queue only moves the waiting to the OSDs.",
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
          why: `queue_depth=${depth} is below the kernel's own 128: what guests send beyond waits.`,
        };
      return given ? undefined : { place: source.map.place };
    },
  },
  {
    id: "rxbounce-missing",
    title: "krbd reads straight into pages that the guest may change",
    severity: "low",
    when: "A StorageClass or rbd map for images of VMs by the kernel client has no rxbounce.",
    not: "rbd-nbd; mappings that are not shown; Proxmox.",
    why: "A guest may change a page while it is read into; krbd then sees a wrong checksum, drops the connection and reads again.",
    worth: null,
    wrong: "For images that containers use as file systems it only costs a copy.",
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
    why: "Each request goes from the kernel to a process and from there through librbd: twice over the border between them, and when that process ends (an update of the plugin's pod), the disk hangs.",
    worth: null,
    wrong: "Where the kernel client lacks a feature that the image needs (journaling, new encryption).",
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
    not: "All of them are there.",
    why: "Without an object map rbd du, diff, resize and remove look at every object. Reads and writes are not slower.",
    worth: {
      text: "a claim of x7 on writes exists, but is unpaired, and its reason does not hold for krbd",
      source: "neil1taylor/storage-perf-tests",
    },
    wrong: "Where an old kernel (before 5.3) maps the image: it does not know object-map and fast-diff.",
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
            why: `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing: rbd du, diff, resize and remove look at every object. Reads and writes are not slower.`,
          };
    },
  },
  {
    id: "object-map-invalid",
    title: "The image's object map is marked invalid",
    severity: "low",
    when: "rbd info, or the cluster, shows the flag object map invalid.",
    not: "No such flag.",
    why: "librbd does without a map that it does not trust: diff, du and removal look at every object, and flattened or sparse parts are read for nothing.",
    worth: null,
    wrong: "While a resize or another long operation runs, the flag comes and goes.",
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
    not: "Mirroring by snapshots, which needs no journal.",
    why: "Each write is written twice: into the journal, and from there into the image.",
    worth: null,
    wrong: "Where rbd-mirror needs it (mirroring by journal).",
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
    why: "The first write to each object copies it from the parent, and reads of untouched parts go to objects that all clones share.",
    worth: null,
    wrong: "Where many VMs share a parent to save space, and most of it is never written.",
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
            why: `The image is a clone of ${image.parent}${(image.cloneDepth ?? 1) > 1 ? `, the nearest of ${image.cloneDepth} images behind it` : ""}: the first write to each object copies it, and reads of untouched parts go to the parent that all clones share.`,
          }
        : undefined,
  },
  {
    id: "object-size-odd",
    title: "Objects are not 4 MiB",
    severity: "low",
    when: "The object size is other than 4 MiB (order 22).",
    not: "4 MiB.",
    why: "Larger objects make copies on first writes larger and spread large requests over fewer OSDs; smaller ones make more objects to keep.",
    worth: null,
    wrong: "Where it was chosen for a load and measured.",
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
            why: `Objects are ${image.objectSize / 2 ** 20} MiB: ${image.objectSize > four ? "a copy on a first write is larger, and large requests spread over fewer OSDs" : "there are more of them to keep, and large requests are cut into more pieces"}.`,
          }
        : undefined,
  },
  {
    id: "snapshots-many",
    title: "The image has many snapshots",
    severity: "low",
    when: "The image has more than 30 snapshots.",
    not: "Fewer.",
    why: "A first write after each snapshot copies the object in every OSD, and each snapshot is trimmed when it goes.",
    worth: null,
    wrong: "Where they are backups that are needed.",
    takes: "live",
    fix: { any: (subject) => `rbd snap ls ${imageName(subject)}, and remove what no backup needs` },
    disk: (disk) =>
      isData(disk) && (disk.image?.snapshots ?? 0) > 30
        ? { place: disk.image!.place, why: `The image has ${disk.image!.snapshots} snapshots.` }
        : undefined,
  },
  {
    id: "lock-stale",
    title: "A client that is gone holds the image's lock",
    severity: "medium",
    when: "The cluster names an owner of the lock who does not watch the image.",
    not: "The owner watches it.",
    why: "Whoever opens the image next has to wait until the owner is given up, and to put it on the blocklist, which its user must be allowed to.",
    worth: null,
    wrong: "While the owner may still live behind a broken network: two writers destroy the image.",
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
    not: "One, which is the VM.",
    why: "A second client with the lock's feature takes the lock to and fro; without it, two writers destroy the image.",
    worth: null,
    wrong: "During a live migration, a backup or a mapping that only reads, it is as it should be.",
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
    when: "rbd_* settings stand in the image or the pool.",
    not: "None do.",
    why: "What ceph.conf and the VM's configuration say is not what holds: settings of the image win over the pool's, and both over the client's.",
    worth: null,
    wrong: "If they are meant, leave them.",
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
            why: `${image.overrides.map(({ name, value, source }) => `${name} = ${value} (${source})`).join(", ")}: these win over what the client has.`,
          },
  },
];

function withRxbounce(disk: Disk | undefined): string {
  const options = [...(disk?.source.map?.value.options ?? [])].map(([name, value]) =>
    value === "" ? name : `${name}=${value}`,
  );
  return [...options.filter((option) => option !== "rxbounce"), "rxbounce"].join(",");
}

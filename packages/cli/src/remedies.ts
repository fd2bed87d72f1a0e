import type { AttachRemedy } from "@siphon/attach";
import type { RadosRemedy } from "@siphon/rados";
import type { RbdRemedy } from "@siphon/rbd";
import type { Remedy, SiphonError } from "@siphon/wire";

/** Advice for the user, in siphon's commands and flags; empty if no remedy is known. */
export function adviceText({ hint, remedy }: SiphonError): string {
  const words = remedy === undefined ? undefined : remedies[remedy.name as RemedyName]?.(imageOf(remedy));
  return [hint, words].filter((part) => part !== undefined && part !== "").join("; ");
}

type RemedyName = RadosRemedy["name"] | RbdRemedy["name"] | AttachRemedy["name"];

/** The subject as a command's argument: the id names an image in the trash. */
function imageOf({ subject = "", imageId }: Remedy): string {
  if (imageId === undefined) return subject;
  const [pool, namespace] = subject.split("/");
  return `--pool ${pool}${namespace === undefined ? "" : ` --namespace ${namespace}`} --image-id ${imageId}`;
}

const remedies: Record<RemedyName, (subject: string) => string> = {
  "name-config": () => "name the file with --conf, or monitors with --mon-host",
  "find-config": () => "name the file with --conf, or monitors with --mon-host",
  "name-monitors": () => "or name monitors with --mon-host",
  "name-keyring": () => "or name the keyring with --keyring",
  "check-keyring": () => "write it anew with: siphon ceph auth get USER -o FILE",
  "check-key": () => "see it with: siphon ceph auth get-key USER",
  "list-images": (pool) => `list images with: siphon rbd ls ${pool}`,
  "list-all-images": (pool) => `list them with: siphon rbd ls ${pool}; siphon rbd trash ls ${pool}`,
  "list-trash": (pool) => `list it with: siphon rbd trash ls ${pool}`,
  "list-namespaces": (pool) => `list them with: siphon rbd namespace ls ${pool}`,
  "create-namespace": (namespace) => `create it with: siphon rbd namespace create ${namespace}`,
  "list-groups": (pool) => `list groups with: siphon rbd group ls ${pool}`,
  "list-group-snapshots": (group) => `list them with: siphon rbd group snap ls ${group}`,
  "remove-group-snapshot": (snapshot) => `remove it with: siphon rbd group snap rm ${snapshot}`,
  "leave-group": (image) =>
    `remove it from the group first with: siphon rbd group image rm; show the group with: siphon rbd info ${image}`,
  "show-image": (image) => `show which one with: siphon rbd info ${image}`,
  "list-watchers": (image) => `show the client with: siphon rbd status ${image}`,
  "list-locks": (image) => `show the client with: siphon rbd lock ls ${image}`,
  "list-snapshots": (image) => `list them with: siphon rbd snap ls ${image}`,
  "list-children": (snapshot) => `list them with: siphon rbd children ${snapshot}`,
  "protect-snapshot": (snapshot) =>
    `protect it with: siphon rbd snap protect ${snapshot}; or create a version 2 clone: --rbd-default-clone-format 2`,
  "unprotect-snapshot": (snapshot) => `unprotect it with: siphon rbd snap unprotect ${snapshot}`,
  "purge-snapshots": (image) => `remove them first with: siphon rbd snap purge ${image}`,
  "change-snapshot-limit": (image) => `change the limit with: siphon rbd snap limit set ${image} --limit N`,
  "list-settings": (level) => `list those with: siphon rbd config ${level} ls`,
  "give-keys": () => "give --encryption-passphrase-file for the image, and again for its parent",
  "format-encryption": () => "set it up with: siphon rbd encryption format",
  "allow-shrink": () => "shrinking an image is only allowed with the --allow-shrink flag",
  "list-disks": () => "list disks with: siphon attach list",
  "show-disk": (disk) => `show it with: siphon attach show ${disk}`,
  "force-removal": (disk) => `or remove it anyway: siphon attach rm ${disk} --force`,
  "start-service": () => "start it with: systemctl start siphon-attachd; or name its socket with --control",
  "be-service-user": () => "only the service's user may use this socket: try as root",
  "look-at-disks": () => "when it runs again, check the disks: siphon attach list",
  force: () => "to remove it anyway: --force",
};

import { HEAD_MIB } from "./device.ts";
import { pathOf } from "./inventory.ts";
import type { Placement } from "./placement.ts";
import { DEPLOYMENT_VARIABLE, words } from "./script.ts";
import type { Wipe } from "./wipe.ts";

/**
 * The file that marks a host's directory as part of a deployment. Removal relies only on this file. Lines of
 * tab-separated fields:
 *
 *     id FSID | name NAME | made DIRECTORY | block UUID PATH | file UUID PATH
 *
 * `made` is the topmost directory that was created for it (none if the directory existed, empty); the UUID is the
 * OSD's, which Ceph writes to the head of its store.
 */
export const MARKER = "deployment";

export interface Claim {
  fsid: string;
  name: string;
}

/**
 * Script lines that claim a host's directory, and wipe the given devices. They fail without changes if another process
 * was first.
 */
export function claiming({ host, osds, home }: Placement, { fsid, name }: Claim, wipes: Wipe[]): string[] {
  const marker = home.path(MARKER);
  const stores = osds.flatMap(({ uuid, store }) => {
    const path = pathOf(store);
    return path ? [["device" in store ? "block" : "file", uuid, path]] : [];
  });
  const rows = [["id", fsid], ["name", name], ...stores];
  const wiped = wipes.filter((wipe) => wipe.host === host.name).map(({ path }) => path);
  return [
    ...tidyFunction,
    `dir=${words(home.dir)}`,
    "made=",
    'if [ ! -e "$dir" ]; then',
    '  made=$dir; while [ ! -e "$(dirname "$made")" ]; do made=$(dirname "$made"); done',
    '  mkdir -p "$(dirname "$dir")"; mkdir "$dir"',
    "fi",
    "set -C", // an existing marker is not overwritten
    `{ printf '%s\\n' ${words(...rows.map((row) => row.join("\t")))} && printf 'made\\t%s\\n' "$made"; } > ${words(marker)} || {`,
    `  [ ! -s ${words(marker)} ] || { echo "another deployment came first in $dir" >&2; exit 1; }`,
    `  rm -f ${words(marker)}; tidy "$dir" "$made"; exit 1`,
    "}",
    "set +C",
    ...wiped.map((path) => {
      const file = stores.some(([kind, , other]) => kind === "file" && other === path);
      return file
        ? words("rm", "-f", path)
        : `wipefs --all ${words(path)} > /dev/null; ${zeroing(words(path))}`;
    }),
  ];
}

/**
 * Script lines that end a host's part in a deployment and remove it completely. The deployment must match the fsid, or
 * the name if the fsid is unknown. They print one word, `absent`, `another` or `removed`, after a line `left PATH` for
 * each path that holds other data by now and was not touched.
 */
export function removing(dir: string, { fsid, name }: { fsid?: string; name: string }): string[] {
  const is = fsid ? `[ "$id" = ${words(fsid)} ]` : `[ "$name" = ${words(name)} ]`;
  return [
    ...tidyFunction,
    ...releaseFunction,
    `dir=${words(dir)}`,
    `[ -f "$dir/${MARKER}" ] || { echo absent; exit 0; }`,
    "tab=$(printf '\\t') id= name= made=",
    `while IFS=$tab read -r key value rest; do`,
    '  case "$key" in id) id=$value ;; name) name=$value ;; made) made=$value ;; esac',
    `done < "$dir/${MARKER}"`,
    `${is} || { echo another; exit 0; }`,
    "tries=0",
    `while pids=$(grep -lzxF "${DEPLOYMENT_VARIABLE}=$dir" /proc/[0-9]*/environ 2> /dev/null | cut -d/ -f3) && [ -n "$pids" ]; do`,
    '  [ "$tries" -lt 300 ] || { echo "processes cannot be ended:" $pids >&2; exit 1; }',
    "  tries=$((tries + 1)); kill -KILL $pids 2> /dev/null || :; sleep 0.1",
    "done",
    "while IFS=$tab read -r kind uuid path; do",
    '  case "$kind" in block|file) release "$kind" "$uuid" "$path" ;; esac',
    `done < "$dir/${MARKER}"`,
    // The marker is removed last: until then, this can be repeated.
    `find "$dir" -mindepth 1 -maxdepth 1 ! -name ${MARKER} ! -name lost+found -exec rm -rf {} +`,
    `rm -f "$dir/${MARKER}"`,
    'tidy "$dir" "$made"',
    "echo removed",
  ];
}

/** `tidy DIRECTORY MADE` removes empty directories, from the first up to the second; does nothing if MADE is empty. */
const tidyFunction = [
  "tidy() {",
  '  [ -n "$2" ] || return 0',
  "  at=$1",
  '  while rmdir "$at" 2> /dev/null && [ "$at" != "$2" ]; do at=$(dirname "$at"); done',
  "}",
];

/**
 * `release KIND UUID PATH` frees an OSD's file or device, if it still holds that OSD's store (device names can change
 * at a reboot): removes a file, and zeroes the beginning of a device. The head of a store (BlueStore.cc,
 * _write_bdev_label) is the line `bluestore block device` and, in the next, the UUID.
 */
const releaseFunction = [
  "release() {",
  '  [ -e "$3" ] || return 0',
  `  label=$(head -c 60 "$3" | tr -d '\\000')`,
  `  if [ "$label" = "$(printf 'bluestore block device\\n%s\\n' "$2")" ]; then`,
  `    if [ "$1" = file ]; then rm -f "$3"; else ${zeroing('"$3"')}; fi`,
  // The store does not exist yet. Some file systems also keep the first bytes.
  `  elif [ -z "$(head -c ${HEAD_MIB * 2 ** 20} "$3" | tr -d '\\000' | head -c 1)" ]; then`,
  '    [ "$1" = block ] || rm -f "$3"',
  `  else printf 'left\\t%s\\n' "$3"; fi`,
  "}",
];

/** Zeroes the beginning of a device, and the copies of its label that newer releases write at 1, 10, 100... GiB. */
function zeroing(path: string): string {
  const copies = [
    `size=$(blockdev --getsize64 ${path})`,
    "for gib in 1 10 100 1000",
    `do [ "$size" -le $((gib << 30)) ] || dd if=/dev/zero of=${path} bs=4096 count=1 seek=$((gib << 18)) conv=notrunc,fsync status=none`,
    "done",
  ].join("; ");
  return `dd if=/dev/zero of=${path} bs=1M count=${HEAD_MIB} conv=notrunc,fsync status=none; ${copies}`;
}

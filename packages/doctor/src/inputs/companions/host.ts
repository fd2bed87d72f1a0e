import type { HostFacts, LibrbdVersion } from "../../model/host-facts.ts";
import type { Fact } from "../../model/place.ts";
import type { InputFile } from "../input.ts";

/** Facts from QEMU's /proc/PID/maps: the loaded librbd and the allocator. */
export function factsFromMaps({ name: file, text }: InputFile): HostFacts {
  const facts: HostFacts = {};
  let allocator: Fact<"tcmalloc" | "jemalloc" | "libc"> | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const path = /\s(\/\S.*)$/.exec(line)?.[1];
    if (path === undefined) continue;
    const place = { file, line: index + 1 };
    const base = path.slice(path.lastIndexOf("/") + 1);
    if (/^libtcmalloc/.test(base)) allocator = { value: "tcmalloc", place };
    else if (/^libjemalloc/.test(base)) allocator ??= { value: "jemalloc", place };
    const librbd = /^librbd\.so\.(\d+)(?:\.(\d+)(?:\.\d+)*)?( \(deleted\))?$/.exec(base);
    if (librbd === null || facts.librbd !== undefined) continue;
    const minor = Number(librbd[2]);
    // Pacific brought librbd.so.1.16, and the number has followed Ceph's releases since; older ones are 1.12 to 1.15.
    const text = base.replace(/ \(deleted\)$/, "").slice("librbd.so.".length);
    facts.librbd = {
      value: { text, major: Number.isNaN(minor) ? Number.NaN : Math.max(minor, 0), source: "mapped" },
      place,
    };
    if (librbd[3] !== undefined) facts.deletedLibrbd = { value: path.replace(/ \(deleted\)$/, ""), place };
  }
  if (facts.librbd !== undefined) facts.allocator = allocator ?? { value: "libc", place: facts.librbd.place };
  return facts;
}

/** librbd's version in a package list of rpm or dpkg. */
export function librbdOfPackages({ name: file, text }: InputFile): Fact<LibrbdVersion> | undefined {
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const match = /(?:^|\s)librbd1?(?::\w+)?[-\s:=]+(?:\d+:)?(\d+)\.(\d+)(\.\d+)?/.exec(line);
    if (match === null) continue;
    const version = `${match[1]}.${match[2]}${match[3] ?? ""}`;
    return {
      value: { text: version, major: Number(match[1]), source: "package" },
      place: { file, line: index + 1 },
    };
  }
  return undefined;
}

/** Ceph's version in the output of one of its programs. */
export function cephOfVersions({ name: file, text }: InputFile): Fact<LibrbdVersion> | undefined {
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const match =
      /ceph version (\d+)\.(\d+)\.(\d+)|\b(?:librbd1?|librados2?)[\s:=]+v?(\d+)\.(\d+)\.(\d+)/i.exec(line);
    if (match === null) continue;
    const numbers = match.slice(1).filter((each) => each !== undefined);
    return {
      value: { text: numbers.join("."), major: Number(numbers[0]), source: "program" },
      place: { file, line: index + 1 },
    };
  }
  return undefined;
}

/** qemu-server's version, from a package list or `pveversion -v`; any pve-manager version except 7.0 also tells it. */
export function qemuServerOf({ text }: InputFile): readonly number[] | undefined {
  const match = /qemu-server[\s:=_/-]+(\d+)\.(\d+)(?:[.-](\d+))?/.exec(text);
  if (match !== null) return match.slice(1).map((each) => Number(each ?? 0));
  const manager = /pve-manager[\s:=_/]+(\d+)\.(\d+)/.exec(text);
  // 7.0 is too coarse: its first qemu-server releases had the fault.
  if (manager === null || (manager[1] === "7" && manager[2] === "0")) return undefined;
  return [Number(manager[1]), Number(manager[2]), 0];
}

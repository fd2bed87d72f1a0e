/** A file of an initramfs; paths are absolute in the guest. */
export type CpioEntry = { path: string; mode?: number } & (
  | { type: "directory" }
  | { type: "file"; data: Uint8Array }
  | { type: "symlink"; target: string }
  | { type: "device"; major: number; minor: number }
);

/**
 * Packs entries into a "newc" cpio archive, the form that Linux unpacks as an initramfs. Parent directories
 * are added where missing; times are zero, so equal entries give equal bytes.
 *
 * Layout of one member (Documentation/driver-api/early-userspace/buffer-format.rst in Linux):
 * "070701", then 13 fields of 8 hex digits: ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor
 * rdevminor namesize check; the name with its NUL, padded to 4 bytes; the data, padded to 4 bytes.
 */
export function cpio(entries: CpioEntry[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let inode = 1;
  for (const entry of withParents(entries)) parts.push(...member(entry, inode++));
  parts.push(...pack("TRAILER!!!", [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], new Uint8Array()));
  return parts;
}

const fileTypes = { directory: 0o040000, file: 0o100000, symlink: 0o120000, device: 0o020000 };
const usualModes = { directory: 0o755, file: 0o644, symlink: 0o777, device: 0o600 };

function withParents(entries: CpioEntry[]): CpioEntry[] {
  const all = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const names = entry.path.split("/").filter(Boolean);
    for (let depth = 1; depth < names.length; depth++) {
      const path = `/${names.slice(0, depth).join("/")}`;
      if (!all.has(path)) all.set(path, { type: "directory", path });
    }
    all.set(`/${names.join("/")}`, entry);
  }
  return [...all.values()];
}

function member(entry: CpioEntry, inode: number): Uint8Array[] {
  const data =
    entry.type === "file"
      ? entry.data
      : new TextEncoder().encode(entry.type === "symlink" ? entry.target : "");
  const [major, minor] = entry.type === "device" ? [entry.major, entry.minor] : [0, 0];
  const mode = fileTypes[entry.type] | (entry.mode ?? usualModes[entry.type]);
  const links = entry.type === "directory" ? 2 : 1;
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor];
  return pack(entry.path.replace(/^\/+/, ""), fields, data);
}

function pack(name: string, fields: number[], data: Uint8Array): Uint8Array[] {
  const bytes = new TextEncoder().encode(`${name}\0`);
  const hex = [...fields, bytes.length, 0].map((field) => field.toString(16).padStart(8, "0"));
  const header = new TextEncoder().encode(`070701${hex.join("")}`);
  return [header, bytes, padding(header.length + bytes.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}

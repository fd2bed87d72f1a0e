import type { Place } from "../../model/place.ts";
import type { InputFile } from "../input.ts";

export interface Setting {
  value: string;
  place: Place;
}

export interface ProxmoxConfig {
  /** The current settings: everything before the first section. */
  current: ReadonlyMap<string, Setting>;
  /** Changes that take effect at the next start. */
  pending: ReadonlyMap<string, Setting>;
  snapshots: string[];
}

/** Reads /etc/pve/qemu-server/VMID.conf or the output of `qm config`: `key: value` lines, then sections of pending changes and snapshots. */
export function readProxmoxConfig({ name: file, text }: InputFile): ProxmoxConfig {
  const current = new Map<string, Setting>();
  const pending = new Map<string, Setting>();
  const snapshots: string[] = [];
  let section: Map<string, Setting> | undefined = current;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header === "PENDING" ? pending : undefined;
      if (section === undefined && !header.startsWith("special:")) snapshots.push(header);
      continue;
    }
    const match = /^([a-z][\w-]*):\s*(.*?)\s*$/.exec(line);
    if (match === null || section === undefined || section.has(match[1]!)) continue;
    section.set(match[1]!, { value: match[2]!, place: { file, line: index + 1, path: match[1]! } });
  }
  return { current, pending, snapshots };
}

/** Parses `a=b,c=d`; the first word may omit its key. */
export function properties(text: string, impliedKey: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [index, part] of text.split(",").entries()) {
    const equals = part.indexOf("=");
    if (equals < 0 && index === 0) map.set(impliedKey, part.trim());
    else if (equals > 0) map.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  return map;
}

/** Proxmox's booleans: 1, on, yes, true. */
export function isOn(text: string | undefined): boolean {
  return text !== undefined && /^(1|on|yes|true)$/i.test(text);
}

export interface Storage {
  type: string;
  place: Place;
  options: ReadonlyMap<string, Setting>;
}

/** Reads /etc/pve/storage.cfg: `type: name`, and indented lines below it. */
export function readStorages({ name: file, text }: InputFile): ReadonlyMap<string, Storage> {
  const storages = new Map<string, Storage>();
  let options: Map<string, Setting> | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const header = /^([a-z]+):\s*(\S+)\s*$/.exec(line);
    if (header !== null) {
      options = new Map();
      storages.set(header[2]!, {
        type: header[1]!,
        place: { file, line: index + 1, path: header[2]! },
        options,
      });
      continue;
    }
    const setting = /^\s+(\S+)(?:\s+(.*?))?\s*$/.exec(line);
    if (setting !== null)
      options?.set(setting[1]!, {
        value: setting[2] ?? "1",
        place: { file, line: index + 1, path: setting[1]! },
      });
  }
  return storages;
}

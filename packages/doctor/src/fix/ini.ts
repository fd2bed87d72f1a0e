import type { InputFile } from "../inputs/input.ts";
import type { FixTarget } from "./fix-target.ts";

/** nova.conf with one finding fixed. */
export function fixNova({ text }: InputFile, { id, vm }: FixTarget): string | undefined {
  const section = "libvirt";
  switch (id) {
    case "cache-librbd-on":
    case "cache-unsafe":
      return replaceModes(text);
    case "discard-off":
      return setOption(text, section, "hw_disk_discard", "unmap");
    case "accel-tcg":
      return setOption(text, section, "virt_type", "kvm");
    case "tunnelled-migration":
      return /^live_migration_tunnelled/m.test(text)
        ? setOption(text, section, "live_migration_tunnelled", "false")
        : undefined;
    case "option-obsolete":
      return (vm.settings.obsolete ?? []).reduce((whole, { value }) => dropOption(whole, value.option), text);
    case "machine-i440fx":
      return setOption(text, section, "hw_machine_type", withQ35(text));
    case "cpu-generic":
      return setOption(text, section, "cpu_mode", "host-model");
    default:
      return undefined;
  }
}

/** ceph.conf with one finding fixed. */
export function fixCeph({ text }: InputFile, { id, vm }: FixTarget): string | undefined {
  switch (id) {
    case "option-obsolete":
      return (vm.settings.obsolete ?? []).reduce((whole, { value }) => dropOption(whole, value.option), text);
    case "replica-one":
      return text.replace(/^(\s*osd[ _-]pool[ _-]default[ _-]size\s*=\s*)1\s*$/gm, "$13");
    case "pwl-cache":
      return dropOption(dropOption(text, "rbd_persistent_cache_mode"), "rbd_plugins");
    case "auth-none":
      return text.replace(/^(\s*auth[ _-](?:client[ _-]required|supported)\s*=\s*)none\s*$/gm, "$1cephx");
    default:
      return undefined;
  }
}

/** Sets q35 for x86 and keeps the machine types of other architectures. */
function withQ35(text: string): string {
  const given = /^hw_machine_type[ \t]*[=:][ \t]*(.*)$/m.exec(text)?.[1]?.trim() ?? "";
  const others = given.split(",").filter((each) => each.trim() !== "" && !/^\s*(x86_64|i686)\s*=/.test(each));
  return ["x86_64=q35", ...others].join(",");
}

/** Removes the mode of network disks from disk_cachemodes, and the option itself if nothing is left. */
function replaceModes(text: string): string {
  // A value goes on in lines that begin with blanks.
  return text.replace(/^disk_cachemodes[ \t]*[=:][ \t]*(.*(?:\n[ \t]+\S.*)*)\n?/gm, (line, value: string) => {
    const quote = /^["']/.exec(value)?.[0] ?? "";
    const modes = value
      .replace(/^["']|["']\s*$/g, "")
      .split(",")
      .map((mode) => mode.trim())
      .filter(Boolean);
    const kept = modes.filter((mode) => !/^network\s*=/.test(mode));
    if (kept.length === modes.length) return line;
    return kept.length === 0 ? "" : `disk_cachemodes = ${quote}${kept.join(",")}${quote}\n`;
  });
}

function setOption(text: string, section: string, key: string, value: string): string {
  const lines = text.split("\n");
  const start = lines.indexOf(`[${section}]`);
  if (start < 0) return `${text.replace(/\n*$/, "\n")}\n[${section}]\n${key} = ${value}\n`;
  const next = lines.findIndex((line, index) => index > start && line.startsWith("["));
  const end = next < 0 ? lines.length : next;
  const at = lines.findIndex(
    (line, index) => index > start && index < end && new RegExp(`^${key}\\s*[=:]`).test(line),
  );
  if (at >= 0) {
    // A value goes on in lines that begin with blanks.
    const after = lines.findIndex((line, index) => index > at && !/^[ \t]+\S/.test(line));
    lines.splice(at, (after < 0 ? lines.length : after) - at, `${key} = ${value}`);
  } else {
    let last = end;
    while (last > start + 1 && lines[last - 1]!.trim() === "") last--;
    lines.splice(last, 0, `${key} = ${value}`);
  }
  return lines.join("\n");
}

function dropOption(text: string, key: string): string {
  const name = key.replaceAll("_", "[ _-]");
  return text.replace(new RegExp(`^[ \\t]*${name}[ \\t]*[=:].*\\n?(?:[ \\t]+\\S.*\\n?)*`, "gm"), "");
}

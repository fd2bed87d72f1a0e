import type { Disk } from "../../model/disk.ts";
import type { Place } from "../../model/place.ts";
import type { Vm } from "../../model/vm.ts";
import { noteEnvironment } from "../ceph/elsewhere.ts";
import { addExtraArguments } from "../qemu/extra-arguments.ts";
import type { Element } from "../xml.ts";

/**
 * Applies `<qemu:commandline>` to a VM: disks that it adds, and `-set` on devices that libvirt creates.
 *
 * @param aliases libvirt's name for the device that owns each disk's thread and queues
 */
export function applyCommandLine(vm: Vm, domain: Element, aliases: ReadonlyMap<Disk, string>): void {
  const element = domain.find("commandline");
  const variables = (element?.all("env") ?? []).map(
    (env) => [env.attribute("name") ?? "", env.attribute("value") ?? ""] as const,
  );
  if (element !== undefined) noteEnvironment(vm, new Map(variables), element.place);
  const args = (element?.all("arg") ?? []).map((arg) => `\0${arg.attribute("value") ?? ""}`);
  if (element === undefined || args.length === 0) return;
  const { options } = addExtraArguments(vm, args.join(""), element.place);
  for (const { name, value } of options) if (name === "set") applySet(vm, value, element.place, aliases);
}

/** Applies `<qemu:override>` (libvirt 8.2), which sets properties of libvirt's devices by their aliases. */
export function applyOverrides(vm: Vm, domain: Element, aliases: ReadonlyMap<Disk, string>): void {
  for (const device of domain.find("override")?.all("device") ?? [])
    for (const property of device.find("frontend")?.all("property") ?? [])
      setProperty(
        vm,
        device.attribute("alias"),
        property.attribute("name"),
        property.attribute("value") ?? "",
        property.place,
        aliases,
      );
}

function applySet(vm: Vm, text: string, place: Place, aliases: ReadonlyMap<Disk, string>): void {
  const [, alias, key, value] = /^device\.([^.]+)\.([\w-]+)=(.*)$/.exec(text) ?? [];
  setProperty(vm, alias, key, value ?? "", place, aliases);
}

function setProperty(
  vm: Vm,
  alias: string | undefined,
  key: string | undefined,
  value: string,
  place: Place,
  aliases: ReadonlyMap<Disk, string>,
): void {
  for (const disk of vm.disks) {
    if (alias === undefined || aliases.get(disk) !== alias) continue;
    if (key === "iothread") disk.iothread = { state: "used", thread: value, place };
    else if (/^num[-_]queues$/.test(key ?? "") && Number(value) > 0)
      disk.queues = { value: Number(value), explicit: true, place };
  }
}

import { XmlElement } from "@rgrove/parse-xml";
import type { InputFile } from "../inputs/input.ts";
import { type Element, readXml } from "../inputs/xml.ts";
import { apply, attributeEdit, type Edit, insertAfter, insertInside, removal } from "../inputs/xml-edits.ts";
import type { FixTarget } from "./fix-target.ts";
import { controllerEdits } from "./libvirt-scsi.ts";

/** Attributes of a disk's `<driver>`; undefined removes one. */
const driverAttributes: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  "cache-librbd-on": { cache: "none" },
  "cache-unsafe": { cache: "none" },
  "discard-off": { discard: "unmap" },
  "aio-without-effect": { io: undefined },
  "aio-threads": { io: "native" },
  "detect-zeroes-cost": { detect_zeroes: undefined },
};

/** A domain's XML with one finding fixed; undefined if XML alone cannot fix it. */
export function fixLibvirt(file: InputFile, target: FixTarget): string | undefined {
  const root = readXml(file);
  const domain = root.name === "domain" ? root : root.find("domain");
  if (domain === undefined) return undefined;
  const edits = [...diskEdits(file.text, domain, target), ...domainEdits(file.text, domain, target)];
  return edits.length === 0 ? undefined : apply(file.text, edits);
}

function diskEdits(text: string, domain: Element, { id, disks, vm }: FixTarget): Edit[] {
  const devices = domain.find("devices");
  const all = devices?.all("disk") ?? [];
  const chosen = all.filter((disk) => disks.includes(disk.find("target")?.attribute("dev") ?? ""));
  const threads = threadIds(domain);
  const edits = chosen.flatMap((disk): Edit[] => {
    const attributes = driverAttributes[id];
    if (attributes !== undefined) return driverEdits(text, disk, attributes);
    const tune = disk.find("iotune");
    if (id === "throttled" && tune !== undefined) return [removal(text, tune)];
    const model = vm.disks.find(({ name }) => name === disk.find("target")?.attribute("dev"));
    const isScsi = model?.bus.value === "virtio-scsi";
    if (id === "queues-single" && !isScsi) return driverEdits(text, disk, { queues: String(vm.vcpus) });
    if (id === "queues-beyond-vcpus" && !isScsi) return driverEdits(text, disk, { queues: undefined });
    if (id === "iothread-missing" && !isScsi) return driverEdits(text, disk, { iothread: threads[0] });
    return [];
  });
  const scsi = chosen.filter((disk) => {
    const bus = vm.disks.find(({ name }) => name === disk.find("target")?.attribute("dev"))?.bus.value;
    return bus === "lsi" || bus === "virtio-scsi";
  });
  if (devices !== undefined && scsi.length > 0) {
    edits.push(...controllerEdits(text, devices, scsi, { id, vcpus: vm.vcpus ?? 1, thread: threads[0]! }));
    // The iothread attribute of a SCSI disk has no effect: its controller has the thread.
    if (id === "iothread-without-effect")
      for (const disk of scsi) edits.push(...driverEdits(text, disk, { iothread: undefined }));
  }
  if (/^iothread-/.test(id) && edits.length > 0) edits.push(...ensureThreads(text, domain, 1));
  return edits;
}

function domainEdits(text: string, domain: Element, { id, vm }: FixTarget): Edit[] {
  if (id === "accel-tcg") return [attributeEdit(text, domain, { type: "kvm" })];
  if (id === "cpu-generic") {
    const cpu = domain.find("cpu");
    const line = "<cpu mode='host-passthrough'/>";
    if (cpu === undefined) return [insertAfter(domain.find("os") ?? domain, text, line)];
    // Removes the model and its features, and keeps the topology, caches and NUMA nodes that the guest sees.
    const kept = ["topology", "cache", "maxphysaddr", "numa"].flatMap((name) =>
      cpu.all(name).map(({ node }) => text.slice(node.start, node.end)),
    );
    const whole = kept.length === 0 ? line : `<cpu mode='host-passthrough'>${kept.join("")}</cpu>`;
    return [{ start: cpu.node.start, end: cpu.node.end, text: whole }];
  }
  if (id === "hugepages-missing") {
    const backing = domain.find("memoryBacking");
    if (backing === undefined)
      return [
        insertAfter(domain.find("memory") ?? domain, text, "<memoryBacking><hugepages/></memoryBacking>"),
      ];
    return backing.node.children.some((child) => child instanceof XmlElement)
      ? [insertInside(backing, text, "<hugepages/>")]
      : [
          {
            start: backing.node.start,
            end: backing.node.end,
            text: "<memoryBacking><hugepages/></memoryBacking>",
          },
        ];
  }
  if (id === "cpu-limit") {
    const tune = domain.find("cputune");
    const names = [
      "quota",
      "period",
      "global_quota",
      "global_period",
      "emulator_quota",
      "emulator_period",
      "iothread_quota",
      "iothread_period",
    ];
    return names.flatMap((name) => tune?.all(name) ?? []).map((element) => removal(text, element));
  }
  if (id === "iothread-without-effect" && vm.unusedIothreads !== undefined) {
    const disks = domain.find("devices")?.all("disk") ?? [];
    const virtio = disks.filter((disk) =>
      vm.disks.some(
        ({ name, bus, source }) =>
          name === disk.find("target")?.attribute("dev") &&
          bus.value === "virtio-blk" &&
          source.driver !== "other",
      ),
    );
    const threads = threadIds(domain);
    return virtio.flatMap((disk, index) =>
      driverEdits(text, disk, { iothread: threads[index % threads.length] }),
    );
  }
  return [];
}

/** The ids of the domain's I/O threads, as many as its disks can use: the ids that it lists, then the lowest free ones. */
function threadIds(domain: Element): [string, ...string[]] {
  const listed = (domain.find("iothreadids")?.all("iothread") ?? []).flatMap(
    (each) => each.attribute("id") ?? [],
  );
  const disks = domain.find("devices")?.all("disk").length ?? 0;
  const count = Math.max(Math.min(Number(domain.find("iothreads")?.text) || 1, disks), 1);
  for (let id = 1; listed.length < count; id++) if (!listed.includes(String(id))) listed.push(String(id));
  return listed as [string, ...string[]];
}

function ensureThreads(text: string, domain: Element, count: number): Edit[] {
  if (domain.find("iothreads") !== undefined) return [];
  return [
    insertAfter(
      domain.find("vcpu") ?? domain.find("memory") ?? domain,
      text,
      `<iothreads>${count}</iothreads>`,
    ),
  ];
}

function driverEdits(
  text: string,
  disk: Element,
  attributes: Readonly<Record<string, string | undefined>>,
): Edit[] {
  const driver = disk.find("driver");
  if (driver !== undefined) return [attributeEdit(text, driver, attributes)];
  const words = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}='${value}'`],
  );
  const source = disk.find("source");
  return words.length === 0 || source === undefined
    ? []
    : [insertAfter(source, text, `<driver name='qemu' type='raw' ${words.join(" ")}/>`)];
}

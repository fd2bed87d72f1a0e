import type { Element } from "../inputs/xml.ts";
import { attributeEdit, type Edit, insertAfter, insertInside } from "../inputs/xml-edits.ts";

type Attributes = Readonly<Record<string, string | undefined>>;

/** The part of a fix that changes the SCSI controllers of the disks. */
export function controllerEdits(
  text: string,
  devices: Element,
  disks: readonly Element[],
  { id, vcpus, thread }: { id: string; vcpus: number; thread: string },
): Edit[] {
  const changes: Record<string, { model?: Attributes; driver?: Attributes }> = {
    "scsi-lsi": { model: { model: "virtio-scsi" } },
    "iothread-missing": { driver: { iothread: thread } },
    "iothread-without-effect": { driver: { iothread: thread } },
    "queues-single": { driver: { queues: String(vcpus) } },
    "queues-beyond-vcpus": { driver: { queues: undefined } },
  };
  const change = changes[id];
  if (change === undefined) return [];
  return [...new Set(disks.map(indexOf))].flatMap((index) => {
    const controller = devices
      .all("controller")
      .find((each) => each.attribute("type") === "scsi" && (each.attribute("index") ?? "0") === index);
    if (controller === undefined) {
      const start = `<controller type='scsi' index='${index}' model='virtio-scsi'`;
      const line =
        change.driver === undefined ? `${start}/>` : `${start}>${driverLine(change.driver)}</controller>`;
      return [insertAfter(disks[0]!, text, line)];
    }
    if (change.model !== undefined) return [attributeEdit(text, controller, change.model)];
    return driverEdits(text, controller, change.driver!);
  });
}

function driverEdits(text: string, controller: Element, attributes: Attributes): Edit[] {
  const driver = controller.find("driver");
  if (driver !== undefined) return [attributeEdit(text, driver, attributes)];
  const { start, end } = controller.node;
  const tag = text.slice(start, end);
  if (!tag.endsWith("/>")) return [insertInside(controller, text, driverLine(attributes))];
  return [{ start, end, text: `${tag.slice(0, -2).trimEnd()}>${driverLine(attributes)}</controller>` }];
}

function driverLine(attributes: Attributes): string {
  const words = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}='${value}'`],
  );
  return `<driver${words.join("")}/>`;
}

function indexOf(disk: Element): string {
  return disk.find("address")?.attribute("controller") ?? "0";
}

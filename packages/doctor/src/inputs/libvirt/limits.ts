import type { Disk } from "../../model/disk.ts";
import type { Fact } from "../../model/place.ts";
import type { Element } from "../xml.ts";

/** The limits in force on a disk: its own, its throttle group's, and the block cgroup's for its device. */
export function limitsOf(domain: Element, element: Element, { source }: Disk): Fact<string> | undefined {
  const groups = domain.find("throttlegroups")?.all("throttlegroup") ?? [];
  const named = (element.find("throttlefilters")?.all("throttlefilter") ?? []).map((each) =>
    each.attribute("group"),
  );
  const device = (domain.find("blkiotune")?.all("device") ?? []).find(
    (each) => source.path !== undefined && each.find("path")?.text === source.path,
  );
  return [
    element.find("iotune"),
    ...groups.filter((group) => named.includes(group.find("group_name")?.text)),
    device,
  ]
    .map(numbersIn)
    .find((limits) => limits !== undefined);
}

/** Reads elements such as `<total_iops_sec>`. Zero means no limit, and a weight is not a limit. */
function numbersIn(tune: Element | undefined): Fact<string> | undefined {
  const limits = (tune?.node.children ?? []).flatMap((child) => {
    if (!("name" in child) || !("children" in child)) return [];
    const value = Number(child.text);
    return /_sec(_max)?$/.test(child.name) && value > 0 ? [`${child.name} ${value}`] : [];
  });
  return tune === undefined || limits.length === 0
    ? undefined
    : { value: limits.join(", "), place: tune.place };
}
